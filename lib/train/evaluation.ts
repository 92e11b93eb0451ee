/** What `evaluate` finds, as JSON: figures of every set, rule and domain, and the curves and histograms that a report draws. */

/**
 * How rows are picked for the large guard; `small` and `large` stand for never and always, `oracle` for just the hard rows. `random` throws a
 * coin at ½ for every row: its figures are the expected counts, halves among them, not those of a draw.
 */
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
  /** F1 of picking the hard rows (small wrong, large right); null for `small` and `large`, which pick none, and where no row is hard. */
  routing_f1: number | null;
  /**
   * Predicted from the guards' measured medians and the share escalated; null where nothing was measured. The oracle's is that of a rule that
   * would know which rows are hard; the paper counts both guards for every row, since only both can tell.
   */
  ms_per_row: number | null;
  /** Multiply-adds times two, both guards, mean over the rows; null where a guard's shape is not known. */
  flop_per_row: number | null;
}

/** What a rule was run with. */
export interface RuleSettings {
  /** Rows above it go to the large guard: hardness, or bits of entropy. */
  threshold?: number;
  /** Share of the rows that go: the chance of each (random), or the top of the ranking (budget). */
  share?: number;
  temperature?: number;
  /** P(unsafe) that the small score is measured against. */
  prior?: number;
  /** Weight of the large guard's logit in the score of an escalated row. */
  large_weight?: number;
}

/** One point of a rule's curve, from escalating nothing to everything. */
export interface CurvePoint {
  escalated: number;
  f1: number | null;
  ms_per_row: number | null;
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
  /** The rule that it is the risk of: the router's, or entropy's where there is none. */
  rule: RuleName;
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
  /** By the exact McNemar test at 5 %, over all domains of the evaluation: does the large guard do better here, worse, or can it not be told? */
  escalation: 'helps' | 'hurts' | 'unclear';
  /** Two-sided p-value of that test, as it stands alone. */
  p_value: number;
  /** … and as it stands among the tests of all domains of the evaluation (Holm's correction): what `escalation` goes by. */
  p_holm: number;
}

export interface BoundaryRow {
  id: string;
  source: string;
  label: 'safe' | 'unsafe';
  small: number;
  large: number;
  hardness: number | null;
}

/** Milliseconds: medians of checks one at a time, each guard alone. */
export interface Latency {
  small: number;
  large: number;
  prompts: number;
}

export interface SetEvaluation {
  name: string;
  /** The .jsonl or features file. */
  path: string;
  rows: number;
  unsafe: number;
  /** Share of hard rows. */
  hard: number;
  /** null where it was not asked for. */
  latency_ms: Latency | null;
  rules: Partial<Record<RuleName, RuleFigures>>;
  curves: Partial<Record<RuleName, CurvePoint[]>>;
  /** Area under F1 against escalation rate from 0 to 1; against latency it is the same, since that grows with the rate. */
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
  /** What each rule that was run was run with. */
  settings: Partial<Record<RuleName, RuleSettings>>;
  /** Sentences on what the figures leave out, and why: rules that had nothing to go by, rows that got no reading. */
  notes: string[];
  /** Over the prompts of all sets; null where it was not asked for. */
  latency_ms: Latency | null;
  sets: SetEvaluation[];
  /** Unweighted, over the sets that hold both classes; a confusion is the sum. */
  mean: {
    sets: string[];
    rules: Partial<Record<RuleName, RuleFigures>>;
    curves: Partial<Record<RuleName, CurvePoint[]>>;
    area: Partial<Record<RuleName, number | null>>;
  };
}
