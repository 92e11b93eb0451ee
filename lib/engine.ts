/**
 * One native engine and the tokenizer's thread before it: what a pair, and a guard alone, are made of.
 * Every request in the house is known here, so that an abort or a close settles it wherever it waits.
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
import type { PlainPrompt, PromptTargets } from './tokenizer-protocol.js';
import type { TokenizerThread } from './tokenizer-thread.js';

export type Lane = 'small' | 'large';

/** A step or the end of a request through the cascade. */
export type CascadeEvent = Extract<NativeEvent, { kind: 'stage' | 'done' }>;

export interface CascadeResult {
  event: CascadeEvent;
  /** Tokens of the judged message that were cut away, by the guard that cut more. */
  truncated: number;
}

/** Who waits for which ticket. */
export class Tickets {
  readonly #receivers = new Map<number, (event: NativeEvent) => void>();

  expect(ticket: number, receiver: (event: NativeEvent) => void): void {
    this.#receivers.set(ticket, receiver);
  }

  forget(ticket: number): void {
    this.#receivers.delete(ticket);
  }

  /** Given to the native engine. A ticket that was given up has no receiver any more. */
  readonly deliver = (events: NativeEvent[]): void => {
    for (const event of events) {
      const receiver = this.#receivers.get(event.ticket);
      if (event.kind !== 'stage') this.#receivers.delete(event.ticket);
      receiver?.(event);
    }
  };
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
  readonly #tokenizer: TokenizerThread;
  readonly #tickets: Tickets;
  /** A seeded coin is thrown for requests in the order of submission, so there the order of the calls is kept. */
  readonly #turns: InOrder | null;
  readonly #aborts = new AbortWatch();
  readonly #pending = new Set<Cancellable>();
  #atLoad: NativeStats;
  #closing: Promise<void> | null = null;

  constructor(native: NativeEngine, tokenizer: TokenizerThread, tickets: Tickets, keepsOrder: boolean) {
    this.#turns = keepsOrder ? new InOrder() : null;
    this.#native = native;
    this.#tokenizer = tokenizer;
    this.#tickets = tickets;
    this.#atLoad = native.stats();
    kForgotten.register(this, { native, tokenizer }, this);
  }

  /** Both guards' prompts are made ahead, for the `targets` given: the large one's must be there when the router finds a row hard. */
  cascade(
    conversation: Conversation,
    targets: PromptTargets,
    terms: RequestTerms,
    onStage: (event: CascadeEvent) => void,
  ): Promise<CascadeResult> {
    return this.#begin(terms, (request: PendingRequest<CascadeResult>, schedule) => {
      const take = this.#turns?.announce() ?? ((run = () => {}) => run());
      request.promise.then(
        () => take(),
        () => take(),
      ); // a request that ends before its turn holds up nobody
      this.#prompt(request, conversation, targets, (prompts) =>
        take(() => this.#cascade(request, schedule, prompts, onStage)),
      );
    });
  }

  #cascade(
    request: PendingRequest<CascadeResult>,
    schedule: Schedule,
    prompts: (PlainPrompt | null)[],
    onStage: (event: CascadeEvent) => void,
  ): void {
    if (request.settled) return;
    const [small, large] = prompts;
    const truncated = Math.max(0, ...prompts.map((prompt) => prompt?.truncated ?? 0));
    const submission: Submission = {
      target: 'cascade',
      smallIds: small?.ids ?? null,
      largeIds: large?.ids ?? null,
      feature: false,
    };
    this.#submit(request, schedule, submission, (event) => {
      if (event.kind === 'stage') onStage(event);
      else if (event.kind === 'done') request.resolve({ event, truncated });
    });
  }

  /** One guard's reading of a conversation. */
  score(lane: Lane, conversation: Conversation, terms: RequestTerms): Promise<NativeReading> {
    return this.#begin(terms, (request: PendingRequest<NativeReading>, schedule) =>
      this.#prompt(request, conversation, [lane === 'small' ? 0 : 1], ([prompt]) => {
        if (prompt) this.#read(request, schedule, lane, prompt.ids, false);
      }),
    );
  }

  /** The ids that one guard would read for a conversation. */
  encode(lane: Lane, conversation: Conversation, signal: AbortSignal | null): Promise<Int32Array> {
    return this.#begin({ ...kAtOnce, signal }, (request: PendingRequest<Int32Array>) =>
      this.#prompt(request, conversation, [lane === 'small' ? 0 : 1], ([prompt]) => {
        if (prompt) request.resolve(prompt.ids);
      }),
    );
  }

  /** One guard's reading of token ids that have been checked. */
  read(lane: Lane, ids: Int32Array, feature: boolean, terms: RequestTerms): Promise<NativeReading> {
    return this.#begin(terms, (request: PendingRequest<NativeReading>, schedule) =>
      this.#read(request, schedule, lane, ids, feature),
    );
  }

  /** Hardness of a feature, by the router. */
  route(feature: Float32Array): Promise<number> {
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
    return toStats(this.#native.stats(), this.#atLoad, this.#native.large !== null);
  }

  /** Fails what is in the house with ERR_CLOSED and resolves when both threads have ended. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    kForgotten.unregister(this);
    for (const request of [...this.#pending])
      request.cancel(new SafeRouteError('ERR_CLOSED', 'closed before the request was done'));
    await closeParts({ native: this.#native, tokenizer: this.#tokenizer });
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
    conversation: Conversation,
    targets: PromptTargets,
    next: (prompts: (PlainPrompt | null)[]) => void,
  ): void {
    const id = this.#tokenizer.prompt(conversation, targets, (answer) => {
      if ('error' in answer) request.reject(answer.error);
      else next(answer.prompts);
    });
    request.waitsIn(() => this.#tokenizer.drop(id));
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
      const reading = event.kind === 'done' ? event[lane] : null;
      if (reading !== null) request.resolve(reading);
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

interface Parts {
  native: NativeEngine;
  tokenizer: TokenizerThread;
}

async function closeParts({ native, tokenizer }: Parts): Promise<void> {
  const results = await Promise.allSettled([native.close(), tokenizer.close()]);
  for (const result of results) if (result.status === 'rejected') throw fromNative(result.reason);
}

/** Ends the threads of an engine that was dropped without a close. */
const kForgotten = new FinalizationRegistry((parts: Parts) => {
  closeParts(parts).catch(() => {}); // nobody is left to be told
});
