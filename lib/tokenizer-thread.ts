/**
 * The main thread's side of the tokenizer's thread: requests wait here, a few at a time go over, answers come back in any order.
 * All guards of an environment share one thread, because every thread that ends leaves memory behind that the process cannot give back.
 */

import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type {
  FromTokenizer,
  PlainError,
  TokenizerAnswer,
  TokenizerRequest,
  ToTokenizer,
} from './tokenizer-protocol.js';

/** Requests on the thread's side. The rest wait here, where giving one up costs nothing. */
const kWindow = 32;

/** Run from source, as by tests, the thread still comes from the build: a worker's entry cannot be TypeScript. */
const kWorkerFile = join(__dirname, ...(extname(__filename) === '.ts' ? ['..', 'dist'] : []), 'tokenizer-worker.js');

/** 'now' passes what waits; 'bulk' takes the places that 'interactive' requests leave. */
export type Urgency = 'now' | 'interactive' | 'bulk';

interface Asked {
  request: TokenizerRequest;
  settle: (answer: TokenizerAnswer) => void;
}

/** Used on the thread that made it. Holds the process open only while somebody waits for an answer. */
export class TokenizerThread {
  readonly #worker: Worker;
  readonly #waiting = { interactive: new Map<number, Asked>(), bulk: new Map<number, Asked>() };
  /** Places given while both lines waited. */
  #contested = 0;
  /** On the thread's side; null where nobody waits for the answer any more. */
  readonly #sent = new Map<number, Asked | null>();
  /** Requests that somebody waits for. */
  #live = 0;
  #lastId = 0;
  #failure: PlainError | null = null;

  /** The environment's thread: started when it is first wanted, kept from then on, and followed by another only if it dies. */
  static shared(): TokenizerThread {
    if (shared === null || shared.#failure !== null) shared = new TokenizerThread();
    return shared;
  }

  constructor(entry: string = kWorkerFile) {
    // The flags of this process are not for the thread: some (--input-type) would keep it from starting.
    this.#worker = new Worker(entry, { execArgv: [], name: 'saferoute-tokenizer' });
    this.#worker.on('message', (message: FromTokenizer) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error.message : String(error)));
    this.#worker.on('exit', () => this.#fail('it was stopped from outside'));
    this.#worker.unref();
  }

  /**
   * `settle` is called once, later, unless the request is dropped before; where the thread dies, with an ERR_BACKEND. Returns the
   * request's id.
   */
  ask(request: TokenizerRequest, settle: (answer: TokenizerAnswer) => void, urgency: Urgency): number {
    const id = ++this.#lastId;
    if (this.#failure !== null) {
      const error = this.#failure;
      queueMicrotask(() => settle({ kind: 'refused', error }));
      return id;
    }
    if (urgency === 'now') this.#send(id, { request, settle });
    else this.#waiting[urgency].set(id, { request, settle });
    this.#live++;
    this.#worker.ref();
    this.#pump();
    return id;
  }

  /** Forgets a request wherever it is; its `settle` is not called. */
  drop(id: number): void {
    const sent = this.#sent.get(id) ?? null;
    if (sent !== null) this.#sent.set(id, null);
    const { interactive, bulk } = this.#waiting;
    if (interactive.delete(id) || bulk.delete(id) || sent !== null) this.#letGo();
  }

  #pump(): void {
    while (this.#sent.size < kWindow) {
      const line = this.#nextLine();
      const first = line.entries().next();
      if (first.done) return;
      const [id, asked] = first.value;
      line.delete(id);
      this.#send(id, asked);
    }
  }

  /** Every second place is for bulk: behind interactive requests that never end it would wait for ever. */
  #nextLine(): Map<number, Asked> {
    const { interactive, bulk } = this.#waiting;
    if (interactive.size === 0) return bulk;
    if (bulk.size === 0) return interactive;
    return this.#contested++ % 2 === 0 ? interactive : bulk;
  }

  #send(id: number, asked: Asked): void {
    this.#worker.postMessage({ id, request: asked.request } satisfies ToTokenizer); // throws where something cannot be cloned
    this.#sent.set(id, asked);
  }

  #receive({ id, answer }: FromTokenizer): void {
    const asked = this.#sent.get(id) ?? null;
    this.#sent.delete(id);
    this.#pump();
    if (asked === null) return;
    this.#letGo();
    asked.settle(answer);
  }

  #letGo(): void {
    this.#live--;
    if (this.#live === 0) this.#worker.unref();
  }

  #fail(why: string): void {
    this.#failure ??= { code: 'ERR_BACKEND', message: `the tokenizer thread ended: ${why}` };
    const error = this.#failure;
    const { interactive, bulk } = this.#waiting;
    const requests = [...this.#sent.values(), ...interactive.values(), ...bulk.values()];
    for (const line of [this.#sent, interactive, bulk]) line.clear();
    for (const asked of requests) asked?.settle({ kind: 'refused', error });
  }
}

let shared: TokenizerThread | null = null;
