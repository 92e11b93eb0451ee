/** The options that callers pass, as types. `validate-options.ts` holds what is passed against them. */

import type { FamilyName, GuardSpec } from './guard-spec.js';
import type { Input } from './verdict.js';

/** How a guard is asked: a built-in family by name, or a spec. Without it, guard.json in the directory or marks in the checkpoint decide. */
export type GuardChoice = FamilyName | GuardSpec;

export type Escalation =
  /** The large guard reads what the router finds hard: hardness > threshold. Default: what fits the router's kind. */
  | { kind: 'router'; threshold?: number }
  /** It reads what the small guard is unsure of: the entropy of its score (calibrated, if a calibration is given), in bits, > threshold (default 0.5). */
  | { kind: 'entropy'; threshold?: number; calibration?: EntropyCalibration }
  /** It reads a share of all requests, picked by a seeded coin. Default rate 0.5, seed 0. */
  | { kind: 'random'; rate?: number; seed?: number }
  /**
   * It reads the hardest `share` of the requests: those that rank there among the last `window` (default 1000), by hardness, or by entropy if
   * the pair has no router. A coin breaks ties, so that each request has that chance from the first one on, as long as the traffic stays alike.
   * However the traffic changes, the share among `window` requests in a row exceeds `share` by no more than three standard deviations of chance.
   */
  | { kind: 'budget'; share: number; window?: number }
  | { kind: 'always' }
  | { kind: 'never' };

/**
 * Makes the entropy that of a calibrated score; the verdict keeps the plain one. 'temperature': σ(z/temperature), z the logit of the score.
 * 'contextual', 'batch': the score divided by a prior, its mean on messages without content or on traffic, and normalised.
 */
export type EntropyCalibration =
  | { kind: 'temperature'; temperature: number }
  | { kind: 'contextual'; prior: number }
  | { kind: 'batch'; prior: number };

/** The score of a request that both guards have read: the large one's (default), or σ(w·z_large + (1−w)·z_small), z their logits, w by default 0.5. */
export type Combine = { kind: 'large' } | { kind: 'ensemble'; largeWeight?: number };

/** The large guard also reads, and decides, a seeded share of the requests that the rule finds easy; how often the two guards agree is counted. */
export interface Audit {
  rate: number;
  /** Default 0. */
  seed?: number;
}

/** Rings when the rate at which the rule picks requests leaves a band by more than chance: as an event, and in `stats()`. */
export interface RateAlarm {
  /** Lowest and highest rate that is as it should be. Default: the band that saferoute.json was calibrated to. */
  band?: [number, number];
  /** Requests over which the rate is taken. Default 1000. */
  window?: number;
}

/** Limits the requests per second that go to the large guard, audits included; after a pause one second's worth, at least one, may go at once. */
export interface EscalationCap {
  perSecond: number;
  /** What a request over the cap gets: the small guard's verdict, marked as 'capped' (default), or ERR_OVERLOADED. Audits over the cap are left out. */
  otherwise?: 'small' | 'error';
}

/** Of weights and activations: the first two on the CPU, the others on the GPU. */
export type Precision = 'f32' | 'int8' | 'bf16' | 'fp8';

export interface GuardOptions {
  guard?: GuardChoice;
  /**
   * Default 'cpu', or the device of the `precision` that is named: the GPU's part has run on no GPU yet, so it must be asked for.
   * 'auto': the first NVIDIA GPU where guards can run on it, else the CPU; where there is a driver but no guard can run, or the
   * guards do not fit, the process gets a warning with the code SAFEROUTE_DEVICE. 'cuda': that GPU, or ERR_UNSUPPORTED with what is missing.
   */
  device?: 'auto' | 'cpu' | 'cuda';
  /**
   * On the CPU 'int8' (what 'auto', the default, picks there): weights and activations in 8 bits, several times faster than 'f32', a quarter
   * of its memory, and scores that differ by a few thousandths. 'f32': as the reference implementation computes.
   * On the GPU 'bf16' (what 'auto' picks there): weights as in the checkpoint. 'fp8': faster still, from compute capability 8.9 on; simulated
   * on the CPU, not yet run on a GPU, it turns over 0.3 % of the embedded pair's clear verdicts, and 'bf16' none.
   */
  precision?: 'auto' | Precision;
  /**
   * Directory where converted int8 weights are kept for the next load. Default: SAFEROUTE_CACHE_DIR, else `saferoute` in the user's cache
   * (XDG_CACHE_HOME or ~/.cache), and that only for weights from 64 MiB. null: nowhere. Where it cannot be used, the process gets a warning
   * with the code SAFEROUTE_CACHE, and the load goes on without it.
   */
  cacheDir?: string | null;
  /**
   * 'text' (default): a control token spelled in a caller's text stays text, so no message can end its own turn.
   * 'parse': it becomes the control token, as transformers does. For comparisons only.
   */
  specialTokens?: 'text' | 'parse';
  /**
   * A prompt longer than the guard's context: 'error' (default), or 'truncate' the end of the judged message so that it fits. Never of a
   * response that is moderated: what is cut away would go out unread.
   */
  overlong?: 'error' | 'truncate';
  limits?: {
    /** UTF-8 bytes of all texts of one input. Default 1 MiB. */
    inputBytes?: number;
    /** Requests in the engine, queued or running; one more rejects with ERR_OVERLOADED. Default 1024. */
    queueRequests?: number;
  };
  batch?: {
    /** Token budget of one pass; a longer prompt takes several. Default 1024: larger ones are hardly faster, and take memory. */
    tokens?: number;
    /** Prompts in one batch. Default 256. */
    rows?: number;
    /** Milliseconds that a batch of the large guard is predicted to take at most; 128 tokens make a batch however long they take. Default 250. */
    ms?: number;
    /**
     * Milliseconds that a hard prompt waits at most for others to share the large guard's batch with, and a bulk one behind interactive
     * ones. What has waited for so long goes first in every second batch, whatever deadlines the others have. Default 100.
     */
    maxWait?: number;
  };
  memory?: {
    /** Bytes that the guards of the load may take together. Default: what the machine has available. */
    limit?: number;
    /** Bytes of each guard's keys and values: what a batch works with, and the prefixes kept for requests to come. Default 256 MiB. */
    kv?: number;
    /**
     * GPU memory that the guards of the load may take together, where it is free: bytes, or up to 1 a share of the device's. Default: 0.9.
     * They take what they need, and up to half of what is left for longer prompts. A large guard that does not fit beside the small one is
     * streamed from host memory, and the process gets a warning with the code SAFEROUTE_MEMORY.
     */
    gpu?: number;
  };
  /** Threads of the pool that all guards of the process share; the first load decides. Default: one per core. */
  threads?: number;
}

/** A guard of a pair: its directory, and how to ask it where that differs from the pair's `guard`. */
export type GuardSource = string | { dir: string; guard?: GuardChoice };

export interface PairOptions extends GuardOptions {
  small?: GuardSource;
  /** null: no large guard, every verdict is the small one's. */
  large?: GuardSource | null;
  /** A router file; null: none. */
  router?: string | null;
  escalation?: Escalation;
  /** A score above this is unsafe. Default 0.5. */
  unsafeAt?: number;
  combine?: Combine;
  /** null, here and below: none, whatever saferoute.json says. */
  audit?: Audit | null;
  alarm?: RateAlarm | null;
  cap?: EscalationCap | null;
  /** true: the rule decides and the verdict says so, but the large guard is not asked, and the small one's reading stands. Default false. */
  shadow?: boolean;
}

/** The rule of a pair with every default applied. */
export type EscalationInForce =
  | Required<Exclude<Escalation, { kind: 'entropy' }>>
  | { kind: 'entropy'; threshold: number; calibration?: EntropyCalibration };

/** What stands around the rule of a pair, every default applied. */
export interface Valves {
  combine: Required<Combine>;
  audit: Required<Audit> | null;
  alarm: Required<RateAlarm> | null;
  cap: Required<EscalationCap> | null;
  shadow: boolean;
}

export interface RequestOptions {
  /** Gives the request up wherever it waits; it rejects at once with an AbortError (code ERR_ABORTED, cause the signal's reason). */
  signal?: AbortSignal;
}

export interface ScheduledOptions extends RequestOptions {
  /**
   * 'bulk' takes what interactive requests leave, yet waits behind them no longer than `batch.maxWait`, or half of the time to its deadline.
   * Default 'interactive'.
   */
  priority?: 'interactive' | 'bulk';
  /** Milliseconds from the call; when they have passed without an answer, the request rejects at once with ERR_DEADLINE. Default: none. */
  deadline?: number;
}

export interface CheckOptions extends ScheduledOptions {
  /** Comes back in the verdict. */
  id?: string;
}

export interface ReadOptions extends ScheduledOptions {
  /** Asks for the hidden state that the router reads. Default false. */
  feature?: boolean;
}

/** One row of `checkAll`: an input, or an object form of it with an id that comes back in the verdict. */
export type Row = Input | (Extract<Input, { prompt: string } | { messages: unknown }> & { id?: string });

export interface CheckAllOptions extends RequestOptions {
  /** As for one check, but 'bulk' by default. */
  priority?: 'interactive' | 'bulk';
  /** Milliseconds that each row may take from when its check begins. Default: none. */
  deadline?: number;
  /** In the order of the rows (default), or each as soon as it is known. */
  ordered?: boolean;
  /** Rows in flight, and results that nobody has taken yet, together. Default 64; never more than `limits.queueRequests`. */
  concurrency?: number;
  /**
   * false (default): the first row that fails ends the iteration with its error; rows in flight are given up.
   * true: yields a `SettledRow` for every row, and one row's error disturbs no other.
   */
  settled?: boolean;
}
