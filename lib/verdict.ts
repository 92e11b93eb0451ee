/** What callers hand in and what they get back. */

export interface Message {
  role: 'user' | 'assistant' | 'system';
  content: string;
}

/** The same forms in the API, the CLI and data files. A string is one user prompt. */
export type Input =
  | string
  | Message[]
  | { prompt: string; response?: string; rules?: string }
  | { messages: Message[]; rules?: string };

/** One guard's reading of one prompt. Where a guard has several tokens of a kind, their log-sum-exp stands. */
export interface Reading {
  /** P(unsafe), the softmax over the verdict logits, 0 to 1. */
  score: number;
  logits: { safe: number; unsafe: number };
  /** Hidden state of the last prompt token after the final norm, `(hiddenSize)`; only where asked for. */
  feature?: Float32Array;
}

/**
 * Whether the large guard was asked, and why or why not. 'none': the rule found the request easy. 'rule': hard, so it was. 'audit': easy, but
 * picked by the audit's coin, so it was. 'capped': hard, but over the cap. 'shadow': hard, but nothing is to be done about it.
 */
export type EscalationOutcome = 'none' | 'rule' | 'audit' | 'capped' | 'shadow';

export interface Verdict {
  id?: string;
  /** `unsafe` iff `score > unsafeAt`. */
  label: 'safe' | 'unsafe';
  /** The score of the guard that decided, or of both where the pair combines them. */
  score: number;
  /** The guard that decided; 'large' wherever it was asked. */
  route: 'small' | 'large';
  escalation: EscalationOutcome;
  /** Sigmoid of the router's output, 0 to 1; null where the pair has no router. */
  hardness: number | null;
  small: Reading;
  large: Reading | null;
  tokens: {
    /** Tokens of the small guard's prompt. */
    prompt: number;
    /** Tokens found in the prefix cache, by both guards together. */
    cached: number;
    /** Tokens computed, by both guards together. */
    computed: number;
    /** Tokens of content cut away to fit the context; only with `overlong: 'truncate'`. */
    truncated?: number;
  };
  /**
   * Milliseconds. A pass of a GPU that runs both guards counts in full as the small guard's for a row that the large one did not read, and
   * is divided between the two, by an estimate, for the others.
   */
  timing: { queue_ms: number; small_ms: number; large_ms: number; total_ms: number };
}

/** What `stages()` yields: the small guard's reading of a row that goes on, then the verdict. */
export type Stage =
  | {
      stage: 'small';
      /** Whether the large guard is asked now, and why or why not. */
      escalated: boolean;
      escalation: EscalationOutcome;
      label: 'safe' | 'unsafe';
      hardness: number | null;
      reading: Reading;
      verdict: Verdict | null;
    }
  | { stage: 'large'; label: 'safe' | 'unsafe'; reading: Reading; verdict: Verdict };

/** What `checkAll(rows, { settled: true })` yields for every row. */
export type SettledRow =
  | { status: 'fulfilled'; index: number; id?: string; verdict: Verdict }
  | { status: 'rejected'; index: number; id?: string; error: unknown };
