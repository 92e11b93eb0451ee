/**
 * Judges a response while a language model is writing it: text goes in as it comes, and out as far as it was judged safe.
 * Every check is one of the whole conversation so far; the guards' prefix caches see to it that only what is new is computed.
 */

import { followAbort } from './abort-watch.js';
import { AbortError, SafeRouteError, typeError } from './errors.js';
import { type AnyIterator, iteratorOf } from './iterator-of.js';
import type { ModerationSettings } from './moderate-options.js';
import { TokenGauge } from './token-gauge.js';
import type { Verdict } from './verdict.js';

/** What an unsafe response ends with. */
export class UnsafeResponseError extends SafeRouteError {
  override readonly name = 'UnsafeResponseError';
  /** Of the response as far as it had come. */
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super('ERR_UNSAFE', `the response was judged unsafe, with a score of ${verdict.score.toFixed(3)}`);
    this.verdict = verdict;
  }
}

/** What the moderation asks of the engine; both give up where the signal fires. */
export interface ResponseJudge {
  judge(response: string, signal: AbortSignal): Promise<Verdict>;
  countTokens(text: string, signal: AbortSignal): Promise<number>;
}

/** Made at once, so that a conversation that goes on meanwhile changes nothing; a wrong option rejects the first step, and never throws at the caller. */
export type ModerationPlan = () => { settings: ModerationSettings; judge: ResponseJudge };

/**
 * The moderated response, to be read once: with `for await`, as a Web stream (`ReadableStream.from`) or as a Node stream (`Readable.from`).
 * Leaving it gives up the check in flight and cancels the source.
 */
export class Moderation implements AsyncIterableIterator<string>, AsyncDisposable {
  /**
   * The last verdict, once the moderation has ended: safe for the whole response, or the unsafe one that ended it; null where the response was
   * empty. Rejects where no verdict could be had, and where the moderation was given up.
   */
  readonly verdict: Promise<Verdict | null>;
  readonly #source: unknown;
  readonly #text: AsyncGenerator<string, void, void>;
  readonly #giveUp = new AbortController();
  #begun = false;
  #settle!: { resolve: (verdict: Verdict | null) => void; reject: (error: unknown) => void };

  /** @internal */
  constructor(source: unknown, plan: ModerationPlan) {
    this.verdict = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.verdict.catch(() => {}); // whoever reads the text is told there
    this.#source = source;
    this.#text = this.#run(outcomeOf(plan));
  }

  next(): Promise<IteratorResult<string, void>> {
    this.#begun = true;
    return this.#text.next();
  }

  /** Does not wait for what the generator is waiting for: a source that sleeps, a check in flight. */
  async return(): Promise<IteratorResult<string, void>> {
    this.#giveUp.abort(new Error('the caller stopped listening'));
    this.#settle.reject(new AbortError(this.#giveUp.signal.reason));
    if (!this.#begun) cancel(chunksOf(this.#source)); // a generator that never ran has no `finally` to do it
    return this.#text.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#run(plan: ModerationPlan): AsyncGenerator<string, void, void> {
    let run: ResponseRun | null = null;
    try {
      const { settings, judge } = plan();
      run = new ResponseRun(chunksOf(this.#source), settings, judge, this.#giveUp);
      yield* settings.hold ? run.held() : run.passed();
      this.#settle.resolve(run.verdict);
    } catch (error) {
      const unsafe = error instanceof UnsafeResponseError;
      if (unsafe) this.#settle.resolve(error.verdict);
      else this.#settle.reject(error);
      if (!unsafe || run?.throwsUnsafe !== false) throw error;
    } finally {
      this.#giveUp.abort(new Error('the moderation has ended'));
      run?.leave();
    }
  }
}

/** One response on its way through. */
class ResponseRun {
  verdict: Verdict | null = null;
  readonly throwsUnsafe: boolean;
  readonly #source: AnyIterator;
  readonly #judge: ResponseJudge;
  readonly #gauge: TokenGauge;
  readonly #giveUp: AbortController;
  readonly #unfollow: () => void;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Rejects where the moderation must end now, whatever else is being waited for. */
  readonly #stopped: Promise<never>;
  #stop!: (error: unknown) => void;
  #text = '';
  #judged = 0; // UTF-16 units of the text that the last check, begun or done, covers
  #ended = false;

  constructor(source: AnyIterator, settings: ModerationSettings, judge: ResponseJudge, giveUp: AbortController) {
    this.#source = source;
    this.#judge = judge;
    this.#gauge = new TokenGauge(settings.every, (text) => judge.countTokens(text, giveUp.signal));
    this.#giveUp = giveUp;
    this.throwsUnsafe = settings.onUnsafe === 'throw';
    this.#stopped = new Promise((_, reject) => {
      this.#stop = reject;
    });
    this.#stopped.catch(() => {}); // races below take it
    giveUp.signal.addEventListener('abort', () => this.#stop(new AbortError(giveUp.signal.reason)), { once: true });
    this.#unfollow = followAbort(settings.signal, giveUp);
    if (giveUp.signal.aborted) this.#stop(new AbortError(giveUp.signal.reason));
  }

  /** Text goes out once a check has covered it. */
  async *held(): AsyncGenerator<string, void, void> {
    while ((await this.#read()) !== null) {
      if (!(await this.#unlessStopped(this.#gauge.isFull(this.#unjudged())))) continue;
      yield await this.#unlessStopped(this.#check());
    }
    if (this.#text.length > this.#judged) yield await this.#unlessStopped(this.#check());
  }

  /** Text goes out at once. A check runs beside it, and at most two checks' worth of text is ahead of the last verdict. */
  async *passed(): AsyncGenerator<string, void, void> {
    let checking: Promise<unknown> | null = null;
    const check = () => {
      const current: Promise<unknown> = this.#check().then(
        () => {
          if (checking === current) checking = null;
        },
        (error: unknown) => this.#stop(error),
      );
      checking = current;
    };
    for (let chunk = await this.#read(); chunk !== null; chunk = await this.#read()) {
      if (await this.#unlessStopped(this.#gauge.isFull(this.#unjudged()))) {
        if (checking !== null) await this.#unlessStopped(checking);
        check();
      }
      if (chunk !== '') yield chunk;
    }
    if (checking !== null) await this.#unlessStopped(checking);
    if (this.#text.length > this.#judged) await this.#unlessStopped(this.#check());
  }

  /** Tells the source, unless it has ended, that nobody listens any more. */
  leave(): void {
    this.#unfollow();
    if (!this.#ended) cancel(this.#source);
    this.#ended = true;
  }

  /** The next chunk as text, or null at the end. */
  async #read(): Promise<string | null> {
    if (this.#ended) return null;
    const { done, value } = await this.#unlessStopped((async () => this.#source.next())());
    if (done) this.#ended = true;
    const chunk = done ? this.#decode(new Uint8Array(), false) : this.#decode(value, true);
    this.#text += chunk;
    return done && chunk === '' ? null : chunk;
  }

  #decode(chunk: unknown, more: boolean): string {
    if (typeof chunk === 'string') return chunk;
    if (!(chunk instanceof Uint8Array)) throw typeError('a chunk of the stream', 'a string or a Uint8Array', chunk);
    try {
      return this.#decoder.decode(chunk, { stream: more });
    } catch (cause) {
      throw new SafeRouteError('ERR_INPUT', 'the stream of bytes is not valid UTF-8', { cause });
    }
  }

  /** What no check covers yet, without half of a surrogate pair at its end while the other half may still come. */
  #unjudged(): string {
    const text = this.#text.slice(this.#judged);
    return !this.#ended && /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
  }

  /** Judges all text that has come; returns what no check had covered before. */
  async #check(): Promise<string> {
    const fresh = this.#unjudged();
    this.#judged += fresh.length;
    this.#gauge.empty();
    const verdict = await this.#judge.judge(this.#text.slice(0, this.#judged), this.#giveUp.signal);
    this.verdict = verdict;
    if (verdict.label === 'unsafe') throw new UnsafeResponseError(verdict);
    requireWhole(verdict);
    return fresh;
  }

  #unlessStopped<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#stopped, work]);
  }
}

/** Makes the plan, and tells what came of it when it is asked. */
function outcomeOf(plan: ModerationPlan): ModerationPlan {
  try {
    const made = plan();
    return () => made;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

/** With `overlong: 'truncate'` a check says nothing of what was cut away, and that would go out as judged. */
function requireWhole({ tokens: { truncated = 0 } }: Verdict): void {
  if (truncated === 0) return;
  throw new SafeRouteError(
    'ERR_CONTEXT_LENGTH',
    `the response no longer fits into a guard's context: its last ${truncated} tokens would go unread`,
  );
}

/** Nobody waits for the answer: a source that is asleep in next() gives it only when it wakes up. */
function cancel(source: AnyIterator): void {
  const told = (async () => source.return?.())();
  told.catch(() => {});
}

function chunksOf(source: unknown): AnyIterator {
  return iteratorOf(source, 'stream', 'an async iterable of text, such as a Web or a Node stream');
}
