// What the bench asks of whoever takes part, inside the process of a trial: load, do a piece of work, say how long it took.
import type { Device } from '../device.js';

/** Everything that decides how an engine is loaded; a trial's process holds one engine with one setup. */
export interface Setup {
  engine: 'saferoute' | 'node-llama-cpp' | 'transformers' | 'torch' | 'onnxruntime-node' | 'control';
  device: Device;
  /** Name of the guard's shape, or null where only a router or a GEMM is measured. */
  guard: string | null;
  /** Precision or weight format, in the engine's own words. */
  weights: string;
  /** Prompts in flight at most, and tokens of the longest. */
  inFlight: number;
  promptTokens: number;
  threads: number;
  /** A large guard behind the small one, and the share of checks that go on to it. */
  pair: PairSetup | null;
}

export interface PairSetup {
  /** Name of its shape. */
  large: string;
  rate: number;
}

/** Something to be timed as a whole. */
export type Work =
  /** All prompts at once. `reuse`: prefixes that were read before may be reused; else everything is computed. */
  | { kind: 'read'; prompts: Int32Array[]; reuse: boolean }
  /** One prompt after the other. */
  | { kind: 'read-in-turn'; prompts: Int32Array[]; reuse: boolean }
  /** All texts at once, through template, tokenizer and cascade, as an application asks. */
  | { kind: 'check'; texts: string[] }
  /** A response that is written word by word and judged every `every` tokens meanwhile. */
  | { kind: 'moderate'; question: string; response: string; every: number }
  /** The router alone. `(features, featureSize)` */
  | { kind: 'route'; features: Float32Array[] }
  /** GEMMs of the guard's layers alone. */
  | { kind: 'multiply'; tokens: number }
  /** How late a timer fires, for `ms` milliseconds, while all prompts are read again and again; without prompts, in an idle process. */
  | { kind: 'tick'; ms: number; prompts: Int32Array[] }
  /** What was reserved of the GPU's memory. */
  | { kind: 'gpu-memory' }
  /** Keeps as many threads busy as the setup says, for `ms` milliseconds. */
  | { kind: 'spin'; ms: number };

export interface Sample {
  /** The whole work. */
  ms: number;
  /** Each prompt or feature, from when it was handed over; or by how much each tick of a timer came late. */
  each: number[];
  /** Tokens that the engine computed for it, where the engine tells. */
  tokens?: number;
  /** Bytes of the GPU's memory by owner, where they were asked for. */
  gpuBytes?: Record<string, number>;
}

export interface Contender {
  /** Versions and settings, for the report. */
  readonly facts: Record<string, string | number>;
  run(work: Work): Promise<Sample>;
  close(): Promise<void>;
}

/** Times `start` for each item, all in flight at once. */
export async function timeTogether<T>(items: readonly T[], start: (item: T) => Promise<unknown>): Promise<Sample> {
  const fromMs = performance.now();
  const each = await Promise.all(
    items.map(async (item) => {
      await start(item);
      return performance.now() - fromMs;
    }),
  );
  return { ms: performance.now() - fromMs, each };
}

/** Times `start` for each item, one after the other. */
export async function timeInTurn<T>(items: readonly T[], start: (item: T) => Promise<unknown>): Promise<Sample> {
  const fromMs = performance.now();
  const each: number[] = [];
  for (const item of items) {
    const startMs = performance.now();
    await start(item);
    each.push(performance.now() - startMs);
  }
  return { ms: performance.now() - fromMs, each };
}

export function refuse(engine: string, work: Work): never {
  throw new Error(`${engine} cannot be asked for work of the kind '${work.kind}'`);
}
