/** The public face of `saferoute/train`: everything that makes and judges a router. */

export { calibrate } from './calibrate.js';
export type { CalibrateOptions, CalibrateProgress } from './calibrate-options.js';
export type {
  CalibratedRule,
  Calibration,
  CalibrationTarget,
  CandidateFigures,
  EntropyFit,
  GuardLatency,
} from './calibration.js';
export { evaluate } from './evaluate.js';
export type { EvaluateOptions, EvaluateProgress, EvaluationData } from './evaluate-options.js';
export type {
  BoundaryRow,
  Classification,
  Confusion,
  CurvePoint,
  DomainFigures,
  Evaluation,
  Histogram,
  Latency,
  ReliabilityBin,
  RiskBound,
  RuleFigures,
  RuleName,
  RuleSettings,
  SetEvaluation,
} from './evaluation.js';
export type { FeatureMatrix, FeatureTable, GuardColumns } from './feature-table.js';
export { openFeatures } from './features-reader.js';
export { label } from './label.js';
export type { FailedRow, LabelProgress, LabelRequest, LabelSummary } from './label-options.js';
export type { FlagFigures, ScoreErrors } from './metrics.js';
export type { RecipeName } from './recipes.js';
export { type ReportOptions, type ReportSummary, report } from './report/report.js';
export { train } from './train.js';
export type { RoutingFigures, TrainOptions, TrainProgress, TrainSummary } from './train-options.js';
