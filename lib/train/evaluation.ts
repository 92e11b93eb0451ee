/** What `evaluate` finds, as JSON: figures of every set, rule and domain, and the curves and histograms that a report draws. */

/** How rows are picked for the large guard; `small` and `large` stand for never and always. */
export type RuleName =
  | 'small'
  | 'large'
  | 'random'
  | 'entropy'
  | 'entropy+ts'
  | 'entropy+cc'
  | 'entropy+bc'
  | 'router'
  | 'benefit'
  | 'budget'
  | 'ensemble'
  | 'oracle';

export interface Confusion {
  tp: number;
  fp: number;
  tn: number;
  fn: number;
}

/** Shares from 0 to 1; null where a share has nothing to be a share of (AUPRC of one class, precision of no flags). */
export interface Classification {
  confusion: Confusion;
  f1: number | null;
  precision: number | null;
  recall: number | null;
  accuracy: number;
  fpr: number | null;
  auprc: number | null;
}

export interface RuleFigures extends Classification {
  /** Share of the rows that the large guard read. */
  escalated: number;
  /** F1 of picking the hard rows (small wrong, large right); null for rules that pick none. */
  routing_f1: number | null;
  /** Predicted from the guards' measured medians and the share escalated. */
  ms_per_row: number;
  /** Multiply-adds times two, both guards, mean over the rows. */
  flop_per_row: number;
}

/** One point of a rule's curve, from escalating nothing to everything. */
export interface CurvePoint {
  escalated: number;
  f1: number | null;
  ms_per_row: number;
}

/** Counts per equal bin of [0, 1]. */
export interface Histogram {
  name: string;
  counts: number[];
}

export interface ReliabilityBin {
  /** Mean score in the bin, and the share of unsafe rows among its `rows`. */
  score: number;
  unsafe: number;
  rows: number;
}

/** R_adaptive ≤ R_oracle + M √P(I ≠ t) (SafeRoute, arXiv 2502.12464, theorem 3.1), under the log loss, and under the zero-one loss. */
export interface RiskBound {
  loss: 'log' | 'zero-one';
  adaptive: number;
  oracle: number;
  m: number;
  misrouted: number;
  bound: number;
}

export interface DomainFigures {
  name: string;
  rows: number;
  unsafe: number;
  small: Classification;
  large: Classification;
  /** Rows that only the large guard gets right, and those that only the small one does. */
  only_large_right: number;
  only_small_right: number;
  /** By the exact McNemar test at 5 %: does the large guard do better here, worse, or can it not be told? */
  escalation: 'helps' | 'hurts' | 'unclear';
  /** Two-sided p-value of that test. */
  p_value: number;
}

export interface BoundaryRow {
  id: string;
  source: string;
  label: 'safe' | 'unsafe';
  small: number;
  large: number;
  hardness: number | null;
}

export interface SetEvaluation {
  name: string;
  rows: number;
  unsafe: number;
  /** Share of hard rows. */
  hard: number;
  rules: Partial<Record<RuleName, RuleFigures>>;
  curves: Partial<Record<RuleName, CurvePoint[]>>;
  /** Area under F1 against escalation rate from 0 to 1. */
  area: Partial<Record<RuleName, number | null>>;
  bounds: RiskBound[];
  domains: DomainFigures[];
  scores: { small: Histogram[]; large: Histogram[] };
  hardness: Histogram[] | null;
  reliability: { small: ReliabilityBin[]; large: ReliabilityBin[] };
  /** Rows nearest to the router's threshold; ids only. */
  boundary: BoundaryRow[];
}

export interface Evaluation {
  format: 'saferoute-evaluation/1';
  created: string;
  pair: {
    small: string;
    large: string;
    router: string | null;
    benefit: string | null;
    escalation: unknown;
    unsafe_at: number;
  };
  machine: { cpu: string; threads: number; precision: string };
  /** Medians of checks one at a time. */
  latency_ms: { small: number; large: number; prompts: number };
  sets: SetEvaluation[];
  /** Over the sets that hold both classes. */
  mean: {
    sets: string[];
    rules: Partial<Record<RuleName, RuleFigures>>;
    curves: Partial<Record<RuleName, CurvePoint[]>>;
    area: Partial<Record<RuleName, number | null>>;
  };
}
