/**
 * The native engine with one guard, its weights and router read from files: no tokenizer, no template, ids in and
 * readings out.
 */
import assert from 'node:assert/strict';
import { openCheckpoint, openRouter, requireRouterFits } from '../../lib/checkpoint/index.js';
import { nativeEscalation, nativeValves, settleValves } from '../../lib/escalation-plan.js';
import { kNoValves } from '../../lib/escalation-settings.js';
import { loadAddon, type NativeEngine, type NativeEvent, type NativeReading } from '../../lib/native.js';

const kSettings = { precision: 'f32' as 'f32' | 'int8', batchTokens: 4096, kvBytes: 256 << 20 };
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
  static async load(
    directory: string,
    routerFile: string,
    verdictIds: number[],
    settings: Partial<typeof kSettings> = {},
  ): Promise<OneGuardEngine> {
    const { precision, batchTokens, kvBytes } = { ...kSettings, ...settings };
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
          precision,
          weightCache: null,
          kvBytes,
        },
        large: null,
        device: 'cpu',
        gpuLimit: { bytes: 0, fraction: 0 },
        escalation: nativeEscalation({ kind: 'never' }),
        valves: nativeValves(settleValves(kNoValves, null, false)),
        unsafeAt: 0.5,
        queueRequests: 1024,
        batchTokens,
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
    return (await this.readCounted(ids)).reading;
  }

  /** The same, and how many tokens of `ids` were not computed but found. */
  async readCounted(ids: Int32Array): Promise<{ reading: NativeReading; cachedTokens: number }> {
    const event = (await this.#settled(this.#engine.submit('small', ids, null, kWithFeature))) as Done;
    return { reading: event.small ?? assert.fail('the event has no reading'), cachedTokens: event.cachedTokens };
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
