/**
 * One native engine and the tokenizers before it: what a pair, and a guard alone, are made of.
 * Every pending request is known here, so that an abort or a close settles it wherever it waits.
 */

import { AbortWatch } from './abort-watch.js';
import type { Conversation } from './conversation.js';
import { Deadline } from './deadline.js';
import { fromNative, SafeRouteError } from './errors.js';
import { InOrder } from './in-order.js';
import type { NativeEngine, NativeEvent, NativeReading, NativeStats } from './native.js';
import { type Cancellable, PendingRequest } from './pending-request.js';
import type { RequestTerms } from './request-options.js';
import { type Stats, toStats } from './stats.js';
import type { Tickets } from './tickets.js';
import type { PlainPrompt, PromptTargets } from './tokenizer-protocol.js';
import type { Answer, Tokenizers } from './tokenizers.js';

export type Lane = 'small' | 'large';

/** The place of a lane's guard among the tokenizers. */
const kTarget: Readonly<Record<Lane, number>> = { small: 0, large: 1 };

/** A step or the end of a request through the cascade. */
export type CascadeEvent = Extract<NativeEvent, { kind: 'stage' | 'done' }>;

export interface CascadeResult {
  event: CascadeEvent;
  /** Tokens of the judged message that were cut away, by the guard that cut more. */
  truncated: number;
  /** Tokens of the large guard's prompt; null where none was made. */
  largeTokens: number | null;
}

/** How a request is queued: its place in line, and the clock that runs for it. */
interface Schedule {
  bulk: boolean;
  deadline: Deadline | null;
}

interface Submission {
  target: 'cascade' | Lane;
  smallIds: Int32Array | null;
  largeIds: Int32Array | null;
  feature: boolean;
}

/** The terms of what no guard reads. */
const kAtOnce: RequestTerms = { signal: null, bulk: false, deadlineMs: null };

/** Used on the thread that made it. */
export class Engine {
  readonly #native: NativeEngine;
  readonly #tokenizers: Tokenizers;
  readonly #tickets: Tickets;
  /** Seeded coins are thrown for requests in the order of submission, so there the order of the calls is kept. */
  readonly #turns: InOrder | null;
  readonly #audits: boolean;
  readonly #aborts = new AbortWatch();
  readonly #pending = new Set<Cancellable>();
  #atLoad: NativeStats;
  #closing: Promise<void> | null = null;

  constructor(
    native: NativeEngine,
    tokenizers: Tokenizers,
    tickets: Tickets,
    coins: { thrown: boolean; audit: boolean },
  ) {
    this.#turns = coins.thrown ? new InOrder() : null;
    this.#audits = coins.audit;
    this.#native = native;
    this.#tokenizers = tokenizers;
    this.#tickets = tickets;
    this.#atLoad = native.stats();
    kForgotten.register(this, { native, tokenizers }, this);
  }

  /**
   * Both guards' prompts are made ahead, for the `targets` given: the large one's must be there when the router finds a row hard. `feature`
   * asks for the small guard's.
   */
  cascade(
    conversation: Conversation,
    targets: PromptTargets,
    terms: RequestTerms,
    onStage: (event: CascadeEvent) => void,
    feature = false,
  ): Promise<CascadeResult> {
    return this.#begin(terms, (request: PendingRequest<CascadeResult>, schedule) => {
      const take = this.#turns?.announce() ?? ((run = () => {}) => run());
      request.promise.then(
        () => take(),
        () => take(),
      ); // a request that ends before its turn holds up nobody
      this.#prompt(request, schedule, conversation, targets, (prompts) =>
        take(() => this.#cascade(request, schedule, prompts, onStage, feature)),
      );
    });
  }

  #cascade(
    request: PendingRequest<CascadeResult>,
    schedule: Schedule,
    prompts: (PlainPrompt | null)[],
    onStage: (event: CascadeEvent) => void,
    feature: boolean,
  ): void {
    if (request.settled) return;
    const [small, large] = prompts;
    const largeTokens = prompts.length > 1 ? ((large ?? small)?.ids.length ?? null) : null;
    const truncated = Math.max(0, ...prompts.map((prompt) => prompt?.truncated ?? 0));
    const submission: Submission = {
      target: 'cascade',
      smallIds: small?.ids ?? null,
      largeIds: large?.ids ?? null,
      feature,
    };
    this.#submit(request, schedule, submission, (event) => {
      if (event.kind === 'stage') onStage(event);
      else if (event.kind === 'done') request.resolve({ event, truncated, largeTokens });
    });
  }

  /** One guard's reading of a conversation. */
  score(lane: Lane, conversation: Conversation, terms: RequestTerms): Promise<NativeReading> {
    return this.#begin(terms, (request: PendingRequest<NativeReading>, schedule) =>
      this.#prompt(request, schedule, conversation, [kTarget[lane]], ([prompt]) => {
        if (prompt) this.#read(request, schedule, lane, prompt.ids, false);
      }),
    );
  }

  /** The ids that one guard would read for a conversation. */
  encode(lane: Lane, conversation: Conversation, signal: AbortSignal | null): Promise<Int32Array> {
    return this.#begin({ ...kAtOnce, signal }, (request: PendingRequest<Int32Array>, schedule) =>
      this.#prompt(request, schedule, conversation, [kTarget[lane]], ([prompt]) => {
        if (prompt) request.resolve(prompt.ids);
      }),
    );
  }

  /** Tokens of a text on its own, by one guard's tokenizer. */
  countTokens(lane: Lane, text: string, signal: AbortSignal | null): Promise<number> {
    return this.#begin({ ...kAtOnce, signal }, (request: PendingRequest<number>) => {
      const id = this.#tokenizers.count(kTarget[lane], text, (answer) => {
        if ('error' in answer) request.reject(answer.error);
        else request.resolve(answer.value);
      });
      request.waitsIn(() => this.#tokenizers.drop(id));
    });
  }

  /**
   * Reads the beginnings that each guard's prompts share, so that they stand in the prefix cache. Part of the load. What a head's own
   * reading comes to is nobody's concern; rejects only where a guard cannot compute.
   */
  async readHeads(): Promise<void> {
    const heads = await this.#tokenizers.heads();
    for (const lane of ['small', 'large'] as const) {
      for (const ids of heads[kTarget[lane]] ?? []) {
        await this.read(lane, ids, false, { ...kAtOnce, bulk: true }).catch(throwUnlessRefused);
      }
    }
    this.#atLoad = this.#native.stats();
  }

  /** One guard's reading of token ids that have been checked. */
  read(lane: Lane, ids: Int32Array, feature: boolean, terms: RequestTerms): Promise<NativeReading> {
    return this.#begin(terms, (request: PendingRequest<NativeReading>, schedule) =>
      this.#read(request, schedule, lane, ids, feature),
    );
  }

  /**
   * Hardness of a feature, by the router: computed here and now where that takes less than a tenth of a millisecond, since handing it to
   * the guard's thread and back would take as long, and it would wait there behind the pass in flight.
   */
  async route(feature: Float32Array): Promise<number> {
    if (this.#closing !== null) throw new SafeRouteError('ERR_CLOSED', 'closed');
    return this.#routeHere(feature) ?? this.#routeInTurn(feature);
  }

  #routeHere(feature: Float32Array): number | null {
    try {
      return this.#native.routeHere(feature);
    } catch (error) {
      throw fromNative(error);
    }
  }

  #routeInTurn(feature: Float32Array): Promise<number> {
    return this.#begin(kAtOnce, (request: PendingRequest<number>) =>
      this.#await(
        request,
        () => this.#native.route(feature),
        (event) => {
          if (event.kind === 'routed') request.resolve(event.hardness);
        },
      ),
    );
  }

  stats(): Stats {
    const { small, large } = this.#native;
    return toStats(this.#native.stats(), this.#atLoad, { small, large, audit: this.#audits });
  }

  /** Rejects every pending request with ERR_CLOSED and resolves when both threads have ended. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    kForgotten.unregister(this);
    for (const request of [...this.#pending])
      request.cancel(new SafeRouteError('ERR_CLOSED', 'closed before the request was done'));
    await closeParts({ native: this.#native, tokenizers: this.#tokenizers });
  }

  #begin<T>(
    { signal, bulk, deadlineMs }: RequestTerms,
    begin: (request: PendingRequest<T>, schedule: Schedule) => void,
  ): Promise<T> {
    const deadline = deadlineMs === null ? null : new Deadline(deadlineMs);
    const request = new PendingRequest<T>((settled) => {
      this.#pending.delete(settled);
      deadline?.clear();
      if (signal !== null) this.#aborts.remove(signal, settled);
    });
    if (this.#closing !== null) request.reject(new SafeRouteError('ERR_CLOSED', 'closed'));
    else if (signal !== null) this.#aborts.add(signal, request);
    if (!request.settled) deadline?.watch(request);
    if (!request.settled) {
      this.#pending.add(request);
      begin(request, { bulk, deadline });
    }
    return request.promise;
  }

  #prompt<T>(
    request: PendingRequest<T>,
    { bulk }: Schedule,
    conversation: Conversation,
    targets: PromptTargets,
    next: (prompts: (PlainPrompt | null)[]) => void,
  ): void {
    const settle = (answer: Answer<(PlainPrompt | null)[]>) => {
      if ('error' in answer) request.reject(answer.error);
      else next(answer.value);
    };
    const id = this.#tokenizers.prompt(conversation, targets, settle, bulk);
    request.waitsIn(() => this.#tokenizers.drop(id));
  }

  #read(
    request: PendingRequest<NativeReading>,
    schedule: Schedule,
    lane: Lane,
    ids: Int32Array,
    feature: boolean,
  ): void {
    const submission = {
      target: lane,
      smallIds: lane === 'small' ? ids : null,
      largeIds: lane === 'large' ? ids : null,
      feature,
    };
    this.#submit(request, schedule, submission, (event) => {
      if (event.kind !== 'done') return;
      const reading = event[lane];
      if (reading !== null) request.resolve(reading);
      else request.reject(new SafeRouteError('ERR_BACKEND', 'the engine answered without a reading'));
    });
  }

  #submit<T>(
    request: PendingRequest<T>,
    { bulk, deadline }: Schedule,
    { target, smallIds, largeIds, feature }: Submission,
    receive: (event: NativeEvent) => void,
  ): void {
    const deadlineMs = deadline?.leftMs() ?? null;
    // A busy event loop may come to this before it comes to the timer.
    if (deadline && deadlineMs !== null && deadlineMs <= 0) {
      request.reject(deadline.error());
      return;
    }
    const options = { wantFeature: feature, bulk, deadlineMs };
    this.#await(request, () => this.#native.submit(target, smallIds, largeIds, options), receive);
  }

  /** Events come on this thread in a later turn of its loop, so none can come before its ticket is known. */
  #await<T>(request: PendingRequest<T>, submit: () => number, receive: (event: NativeEvent) => void): void {
    let ticket: number;
    try {
      ticket = submit();
    } catch (error) {
      request.reject(fromNative(error));
      return;
    }
    this.#tickets.expect(ticket, (event) => {
      if (event.kind === 'error')
        request.reject(new SafeRouteError(event.code as SafeRouteError['code'], event.message));
      else receive(event);
    });
    request.waitsIn(() => {
      this.#tickets.forget(ticket);
      this.#native.cancel(ticket);
    });
  }
}

function throwUnlessRefused(error: unknown): void {
  if (!(error instanceof SafeRouteError) || error.code === 'ERR_BACKEND') throw error;
}

interface Parts {
  native: NativeEngine;
  tokenizers: Tokenizers;
}

/** The native side goes last: its end gives freed memory back to the system, that of the vocabularies too. */
async function closeParts({ native, tokenizers }: Parts): Promise<void> {
  await tokenizers.close();
  await native.close().catch((error: unknown) => {
    throw fromNative(error);
  });
}

/** Ends the threads of an engine that was dropped without a close. */
const kForgotten = new FinalizationRegistry((parts: Parts) => {
  closeParts(parts).catch(() => {}); // nobody is left to be told
});
