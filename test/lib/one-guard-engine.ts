/**
 * The native engine with one guard, its weights and router read from files: no tokenizer, no template, ids in and
 * readings out.
 */
import assert from 'node:assert/strict';
import { openCheckpoint, openRouter, requireRouterFits } from '../../lib/checkpoint/index.js';
import { loadAddon, type NativeEngine, type NativeEvent, type NativeReading } from '../../lib/native.js';

const kKvBytes = 256 << 20;
const kWithFeature = { wantFeature: true, bulk: false, deadlineMs: null };

type Done = Extract<NativeEvent, { kind: 'done' | 'stage' }>;
type Routed = Extract<NativeEvent, { kind: 'routed' }>;

export class OneGuardEngine {
  readonly #engine: NativeEngine;
  readonly #waiting: Map<number, (event: NativeEvent) => void>;

  private constructor(engine: NativeEngine, waiting: Map<number, (event: NativeEvent) => void>) {
    this.#engine = engine;
    this.#waiting = waiting;
  }

  /** The first of `verdictIds` means safe, the others unsafe. */
  static async load(directory: string, routerFile: string, verdictIds: number[]): Promise<OneGuardEngine> {
    const { spec, files, tensors, ...checkpoint } = await openCheckpoint(directory);
    const router = await openRouter(routerFile);
    requireRouterFits(router, { spec, files, tensors, ...checkpoint });
    const waiting = new Map<number, (event: NativeEvent) => void>();
    const engine = await loadAddon().loadEngine(
      {
        small: {
          spec,
          files,
          tensors,
          verdictIds,
          verdictUnsafe: verdictIds.map((_, index) => index > 0),
          router: router.router,
          precision: 'f32',
          weightCache: null,
          kvBytes: kKvBytes,
        },
        large: null,
        escalation: { kind: 'never', threshold: 0, seed: 0 },
        queueRequests: 1024,
        batchTokens: 4096,
        batchRows: 256,
        batchMs: 250,
        maxWaitMs: 100,
        memoryLimit: 0,
        threads: 0,
      },
      (events) => {
        for (const event of events) {
          const settle = waiting.get(event.ticket);
          waiting.delete(event.ticket);
          settle?.(event);
        }
      },
    );
    return new OneGuardEngine(engine, waiting);
  }

  /** Submits before it returns, so that rows asked for together run together. */
  async read(ids: Int32Array): Promise<NativeReading> {
    const event = await this.#settled(this.#engine.submit('small', ids, null, kWithFeature));
    return (event as Done).small ?? assert.fail('the event has no reading');
  }

  async route(feature: Float32Array): Promise<number> {
    const event = await this.#settled(this.#engine.route(feature));
    return (event as Routed).hardness;
  }

  /** Batches that have run. */
  batches(): number {
    return this.#engine.stats().small.batches;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #settled(ticket: number): Promise<NativeEvent> {
    const event = await new Promise<NativeEvent>((resolve) => this.#waiting.set(ticket, resolve));
    return event.kind === 'error' ? assert.fail(`${event.code}: ${event.message}`) : event;
  }
}
