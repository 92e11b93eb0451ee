/** One guard, alone or as part of a pair. */

import { toConversation, toTokenIds } from './conversation.js';
import type { SettledSettings } from './device.js';
import type { Engine, Lane } from './engine.js';
import { kNoValves } from './escalation-settings.js';
import type { FamilyName } from './guard-spec.js';
import { type Loaded, load, type OpenedGuard } from './load.js';
import { loadAddon, type NativeAddon, type NativeReading } from './native.js';
import { parsePath } from './option-values.js';
import type { GuardOptions, Precision, ReadOptions, RequestOptions, ScheduledOptions } from './options.js';
import { parseReadOptions, parseRequestOptions, parseScheduledOptions } from './request-options.js';
import type { Stats } from './stats.js';
import { parseGuardOptions } from './validate-options.js';
import type { Input, Reading } from './verdict.js';

/** What a guard of a pair can be asked; it lives and is closed with the pair. */
export class PairedGuard {
  /** Absolute path of the checkpoint. */
  readonly dir: string;
  /** The built-in spec that it is asked by, or null for one of its own. */
  readonly family: FamilyName | null;
  /** Values of a feature. */
  readonly hiddenSize: number;
  /** Longest prompt, in tokens. */
  readonly contextTokens: number;
  readonly vocabSize: number;
  /** Of weights and activations. */
  readonly precision: Precision;
  readonly device: 'cpu' | 'cuda';
  readonly #engine: Engine;
  readonly #lane: Lane;
  readonly #inputBytes: number;

  /** @internal */
  constructor(
    engine: Engine,
    lane: Lane,
    { checkpoint, spec }: OpenedGuard,
    { device, precision, inputBytes }: SettledSettings,
  ) {
    this.#engine = engine;
    this.#lane = lane;
    this.#inputBytes = inputBytes;
    this.dir = checkpoint.directory;
    this.family = spec.family;
    this.hiddenSize = checkpoint.spec.hiddenSize;
    this.contextTokens = checkpoint.spec.maxPositions;
    this.vocabSize = checkpoint.spec.vocabSize;
    this.precision = precision;
    this.device = device;
  }

  /**
   * Reads token ids as they are: no template, nothing added. Ids `(tokens)` must be whole numbers from 0 to `vocabSize` - 1, at least one and at
   * most `contextTokens` of them. Rejects with a TypeError or RangeError for ids that are not, ERR_CONTEXT_LENGTH for too many, and as `score`.
   */
  async read(ids: Int32Array | readonly number[], options?: ReadOptions): Promise<Reading> {
    const { feature, ...terms } = parseReadOptions(options);
    const copy = toTokenIds(ids, this.vocabSize, this.contextTokens);
    return toReading(await this.#engine.read(this.#lane, copy, feature, terms));
  }

  /**
   * The token ids `(tokens)` that `score` reads for an input: template, begin-of-text and what the spec appends. Rejects with ERR_INPUT,
   * ERR_INPUT_TOO_LARGE, ERR_CONTEXT_LENGTH, ERR_ABORTED or ERR_CLOSED.
   */
  async encode(input: Input, options?: RequestOptions): Promise<Int32Array> {
    const { signal } = parseRequestOptions(options);
    return this.#engine.encode(this.#lane, toConversation(input, this.#inputBytes), signal);
  }

  /**
   * Renders the input with the guard's template and reads it. Rejects as `encode`, and with ERR_OVERLOADED, ERR_DEADLINE, ERR_NOT_FINITE or
   * ERR_BACKEND.
   */
  async score(input: Input, options?: ScheduledOptions): Promise<Reading> {
    const terms = parseScheduledOptions(options);
    return toReading(await this.#engine.score(this.#lane, toConversation(input, this.#inputBytes), terms));
  }
}

/** One guard without a pair. Load it with `Guard.load`, close it with `close` or `await using`. */
export class Guard extends PairedGuard implements AsyncDisposable {
  readonly #close: () => Promise<void>;
  readonly #stats: () => Stats;

  /** `dir` is a checkpoint in Hugging Face layout. Rejects with ERR_CHECKPOINT, ERR_SPEC, ERR_UNSUPPORTED or ERR_MEMORY. */
  static async load(dir: string, options?: GuardOptions): Promise<Guard> {
    return openGuard(dir, options, loadAddon);
  }

  /** @internal */
  constructor({ engine, small, settings }: Loaded) {
    super(engine, 'small', small, settings);
    this.#close = () => engine.close();
    this.#stats = () => engine.stats();
  }

  /** Counts since the load, what waits and runs now, and how long things take. The guard is the `small` one. */
  stats(): Stats {
    return this.#stats();
  }

  /** Rejects every pending request with ERR_CLOSED and frees the guard. Idempotent. */
  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** `Guard.load` over any addon of the native shape. */
export async function openGuard(
  dir: string,
  options: GuardOptions | undefined,
  addon: () => NativeAddon,
): Promise<Guard> {
  const settings = parseGuardOptions(options);
  const plan = {
    small: { dir: parsePath(dir, 'dir'), guard: null },
    large: null,
    router: null,
    escalation: null,
    valves: kNoValves,
    band: null,
    unsafeAt: 0.5, // of a pair's verdicts; a guard alone gives none
    settings,
  };
  return new Guard(await load(plan, addon()));
}

export function toReading({ score, safe, unsafe, feature }: NativeReading): Reading {
  const reading: Reading = { score, logits: { safe, unsafe } };
  return feature === null ? reading : { ...reading, feature };
}
