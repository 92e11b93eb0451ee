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
  RiskBound,
  RuleFigures,
  RuleName,
  SetEvaluation,
} from './index.js';
