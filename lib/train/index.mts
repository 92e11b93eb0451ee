/** The same instances for `import` as for `require`, by name. */

export type {
  BoundaryRow,
  Classification,
  Confusion,
  CurvePoint,
  DomainFigures,
  Evaluation,
  Histogram,
  ReliabilityBin,
  ReportOptions,
  ReportSummary,
  RiskBound,
  RuleFigures,
  RuleName,
  SetEvaluation,
} from './index.js';
export { report } from './index.js';
