/** A pair of guards and the rule that sends a request from the small one to the large one. */

import { checkAll } from './check-all.js';
import { combinedScore } from './combine.js';
import { toConversation } from './conversation.js';
import { publishError, publishLoad, publishVerdict } from './diagnostics.js';
import type { CascadeEvent, CascadeResult, Engine } from './engine.js';
import { SafeRouteError, typeError } from './errors.js';
import { PairedGuard, toReading } from './guard.js';
import { type Loaded, load } from './load.js';
import { Moderation, type ResponseJudge } from './moderate.js';
import { type ModerateOptions, parseModerateOptions } from './moderate-options.js';
import { loadAddon, type NativeAddon } from './native.js';
import { parsePath } from './option-values.js';
import type { CheckAllOptions, CheckOptions, EscalationInForce, PairOptions, Row, Valves } from './options.js';
import { planPair } from './pair-plan.js';
import { parseCheckAllOptions, parseCheckOptions, type RequestSettings } from './request-options.js';
import { stagesOf } from './stages.js';
import type { Stats } from './stats.js';
import type { PromptTargets } from './tokenizer-protocol.js';
import { parsePairOptions } from './validate-options.js';
import type { Input, SettledRow, Stage, Verdict } from './verdict.js';

/** Load it with `SafeRoute.load`, close it with `close` or `await using`. An idle pair does not hold the process open. */
export class SafeRoute implements AsyncDisposable {
  readonly small: PairedGuard;
  readonly large: PairedGuard | null;
  /** The rule in force, every default applied. */
  readonly escalation: EscalationInForce;
  /** What stands around the rule, every default applied. */
  readonly valves: Valves;
  /** A score above this is unsafe. */
  readonly unsafeAt: number;
  readonly #engine: Engine;
  readonly #inputBytes: number;
  readonly #queueRequests: number;
  readonly #targets: PromptTargets;
  readonly #hasRouter: boolean;

  /**
   * `source`: a directory with a saferoute.json, that file itself, or the parts: `{ small, large, router, escalation, … }`. Without it the
   * embedded pair is loaded. `options` override what saferoute.json says.
   * Rejects with ERR_CHECKPOINT, ERR_SPEC, ERR_UNSUPPORTED or ERR_MEMORY, or with a TypeError or RangeError for a wrong option.
   */
  static async load(source?: string | PairOptions, options?: PairOptions): Promise<SafeRoute> {
    return openPair(source, options, loadAddon);
  }

  /** @internal */
  constructor({ engine, small, large, router, escalation, valves, unsafeAt, settings }: Loaded) {
    this.#engine = engine;
    this.#inputBytes = settings.inputBytes;
    this.#queueRequests = settings.queueRequests;
    const goesOn = !valves.shadow && (escalation.kind !== 'never' || valves.audit !== null);
    this.#targets = large !== null && goesOn ? [0, 1] : [0];
    this.#hasRouter = router !== null;
    this.small = new PairedGuard(engine, 'small', small, settings);
    this.large = large === null ? null : new PairedGuard(engine, 'large', large, settings);
    this.escalation = escalation;
    this.valves = valves;
    this.unsafeAt = unsafeAt;
  }

  /**
   * Judges one input. Rejects if there is no verdict; an error never counts as safe: with ERR_INPUT, ERR_INPUT_TOO_LARGE, ERR_CONTEXT_LENGTH,
   * ERR_OVERLOADED, ERR_DEADLINE, ERR_ABORTED, ERR_CLOSED, ERR_NOT_FINITE or ERR_BACKEND, or with a TypeError or RangeError for a wrong argument.
   */
  async check(input: Input, options?: CheckOptions): Promise<Verdict> {
    return this.#check(input, parseCheckOptions(options), () => {});
  }

  /**
   * Judges the rows of any iterable as they come, up to `concurrency` at a time; reads no further ahead than that.
   * The first error ends the iteration, unless `settled` asks for a `SettledRow` of every row. Errors are those of `check`.
   */
  checkAll(
    rows: Iterable<Row> | AsyncIterable<Row>,
    options: CheckAllOptions & { settled: true },
  ): AsyncGenerator<SettledRow, void, void>;
  checkAll(
    rows: Iterable<Row> | AsyncIterable<Row>,
    options?: CheckAllOptions & { settled?: false },
  ): AsyncGenerator<Verdict, void, void>;
  checkAll(
    rows: Iterable<Row> | AsyncIterable<Row>,
    options?: CheckAllOptions,
  ): AsyncGenerator<Verdict | SettledRow, void, void>;
  checkAll(
    rows: Iterable<Row> | AsyncIterable<Row>,
    options?: CheckAllOptions,
  ): AsyncGenerator<Verdict | SettledRow, void, void> {
    return checkAll(
      rows,
      () => parseCheckAllOptions(options, this.#queueRequests),
      (input, settings) => this.#check(input, settings, () => {}),
    );
  }

  /**
   * The small guard's reading as soon as it is there, then the large one's if the request goes on to it. Leaving the loop gives the request up.
   * Errors are those of `check`.
   */
  stages(input: Input, options?: CheckOptions): AsyncGenerator<Stage, void, void> {
    return stagesOf(
      () => parseCheckOptions(options),
      (settings, onStage) => this.#check(input, settings, onStage),
      this.unsafeAt,
    );
  }

  /**
   * Passes on a response that is still being written, up to the point that was judged safe, and ends where it turns unsafe: with an
   * UnsafeResponseError (ERR_UNSAFE), or silently with `onUnsafe: 'end'`. Every check judges the conversation so far, of which the prefix cache
   * leaves only the new tokens to compute. `stream`: text, or bytes in UTF-8. Its other errors are those of `check`.
   */
  moderate(
    stream: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
    options: ModerateOptions,
  ): Moderation {
    return new Moderation(stream, () => {
      const { conversation, ...settings } = parseModerateOptions(options);
      const judge: ResponseJudge = {
        judge: (response, signal) => {
          const messages = [...conversation.messages, { role: 'assistant', content: response }];
          const terms = { signal, bulk: false, deadlineMs: null, id: null };
          return this.#check({ messages, ...conversation.rules }, terms, () => {});
        },
        // What no check takes is not tokenised only to be refused.
        countTokens: async (text, signal) =>
          Buffer.byteLength(text) > this.#inputBytes
            ? Number.POSITIVE_INFINITY
            : this.#engine.countTokens('small', text, signal),
      };
      return { settings, judge };
    });
  }

  /**
   * The router's hardness, 0 to 1, of a feature `(small.hiddenSize)` as `small.read` gives it. A router of up to 3 MiB on the CPU answers on
   * this thread, which it holds for less than a tenth of a millisecond; any other answers on the small guard's thread, in turn with its requests.
   * Rejects with ERR_UNSUPPORTED without a router, ERR_INPUT for a feature of another width, ERR_NOT_FINITE or ERR_CLOSED.
   */
  async route(feature: Float32Array): Promise<number> {
    if (!(feature instanceof Float32Array)) throw typeError('feature', 'a Float32Array', feature);
    if (!this.#hasRouter) throw new SafeRouteError('ERR_UNSUPPORTED', 'this pair has no router');
    if (feature.length !== this.small.hiddenSize) {
      throw new SafeRouteError(
        'ERR_INPUT',
        `the feature has ${feature.length} values; the small guard's has ${this.small.hiddenSize}`,
      );
    }
    return this.#engine.route(feature);
  }

  /** Counts since the load, what waits and runs now, and how long things take. */
  stats(): Stats {
    return this.#engine.stats();
  }

  /** Rejects every pending request with ERR_CLOSED and frees both guards. Idempotent. */
  async close(): Promise<void> {
    await this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #check(
    input: unknown,
    { id, ...terms }: RequestSettings,
    onStage: (event: CascadeEvent) => void,
  ): Promise<Verdict> {
    const startMs = performance.now();
    try {
      const conversation = toConversation(input, this.#inputBytes);
      const result = await this.#engine.cascade(conversation, this.#targets, terms, onStage);
      const verdict = this.#verdict(result, id, performance.now() - startMs);
      publishVerdict(verdict);
      return verdict;
    } catch (error) {
      publishError(id, error);
      throw error;
    }
  }

  #verdict({ event, truncated }: CascadeResult, id: string | null, totalMs: number): Verdict {
    const { small, large, hardness, escalation } = event;
    if (small === null) throw new SafeRouteError('ERR_BACKEND', 'the engine answered without a reading');
    const score = large === null ? small.score : combinedScore(this.valves.combine, small, large);
    const { promptTokens, cachedTokens, computedTokens, queueMs, smallMs, largeMs } = event;
    return {
      ...(id === null ? {} : { id }),
      label: score > this.unsafeAt ? 'unsafe' : 'safe',
      score,
      route: large === null ? 'small' : 'large',
      escalation,
      hardness,
      small: toReading(small),
      large: large === null ? null : toReading(large),
      tokens: {
        prompt: promptTokens,
        cached: cachedTokens,
        computed: computedTokens,
        ...(truncated > 0 ? { truncated } : {}),
      },
      timing: { queue_ms: queueMs, small_ms: smallMs, large_ms: largeMs, total_ms: totalMs },
    };
  }
}

/** `SafeRoute.load` over any addon of the native shape. */
export async function openPair(
  source: string | PairOptions | undefined,
  options: PairOptions | undefined,
  addon: () => NativeAddon,
): Promise<SafeRoute> {
  const startMs = performance.now();
  const parts = typeof source === 'object' ? source : undefined;
  const dir = typeof source === 'object' || source === undefined ? null : parsePath(source, 'source');
  const loaded = await load(await planPair(parsePairOptions(options, parts), dir), addon());
  publishLoad({
    small: loaded.small.checkpoint.directory,
    large: loaded.large?.checkpoint.directory ?? null,
    router: loaded.router?.path ?? null,
    ms: performance.now() - startMs,
  });
  return new SafeRoute(loaded);
}
