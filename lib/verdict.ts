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

export interface Verdict {
  id?: string;
  /** `unsafe` iff `score > unsafeAt`. */
  label: 'safe' | 'unsafe';
  /** The score of the guard that decided. */
  score: number;
  /** The guard that decided. */
  route: 'small' | 'large';
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
  /** Milliseconds. */
  timing: { queue_ms: number; small_ms: number; large_ms: number; total_ms: number };
}

/** What `stages()` yields: the small guard's reading of a row that goes on, then the verdict. */
export type Stage =
  | {
      stage: 'small';
      escalated: boolean;
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
