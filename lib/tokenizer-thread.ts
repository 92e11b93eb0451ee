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

interface Asked {
  request: TokenizerRequest;
  settle: (answer: TokenizerAnswer) => void;
}

/** Used on the thread that made it. Holds the process open only while somebody waits for an answer. */
export class TokenizerThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Asked>();
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
   * `settle` is called once, later, unless the request is dropped before; where the thread dies, with an ERR_BACKEND. `atOnce` passes what
   * waits. Returns the request's id.
   */
  ask(request: TokenizerRequest, settle: (answer: TokenizerAnswer) => void, atOnce = false): number {
    const id = ++this.#lastId;
    if (this.#failure !== null) {
      const error = this.#failure;
      queueMicrotask(() => settle({ kind: 'refused', error }));
      return id;
    }
    if (atOnce) this.#send(id, { request, settle });
    else this.#waiting.set(id, { request, settle });
    this.#live++;
    this.#worker.ref();
    this.#pump();
    return id;
  }

  /** Forgets a request wherever it is; its `settle` is not called. */
  drop(id: number): void {
    const sent = this.#sent.get(id) ?? null;
    if (sent !== null) this.#sent.set(id, null);
    if (this.#waiting.delete(id) || sent !== null) this.#letGo();
  }

  #pump(): void {
    for (const [id, asked] of this.#waiting) {
      if (this.#sent.size >= kWindow) break;
      this.#waiting.delete(id);
      this.#send(id, asked);
    }
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
    const requests = [...this.#sent.values(), ...this.#waiting.values()];
    this.#sent.clear();
    this.#waiting.clear();
    for (const asked of requests) asked?.settle({ kind: 'refused', error });
  }
}

let shared: TokenizerThread | null = null;
