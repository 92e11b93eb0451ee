/** The public face of `saferoute/train`: everything that makes and judges a router. */

export type {
  BoundaryRow,
  Classification,
  Confusion,
  CurvePoint,
  DomainFigures,
  Evaluation,
  Histogram,
  ReliabilityBin,
  RiskBound,
  RuleFigures,
  RuleName,
  SetEvaluation,
} from './evaluation.js';
export { type ReportOptions, type ReportSummary, report } from './report/report.js';
