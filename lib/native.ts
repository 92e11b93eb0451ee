/**
 * Finds and loads the native addon, and declares exactly what it exports (`native/addon/`): the contract between the two languages.
 * Everything here takes plain objects that `lib/` built itself; no object of a caller's reaches native code.
 */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SafeRouteError } from './errors.js';
import type { NativeCudaDevice, NativeGpuMemory } from './native-cuda.js';
import type {
  NativeAlarm,
  NativeEscalation,
  NativeEscalationRule,
  NativeValveStats,
  NativeValves,
} from './native-escalation.js';
import type {
  NativeEpochReport,
  NativeFeatures,
  NativeTraining,
  NativeTrainingData,
  NativeTrainingPlan,
} from './native-training.js';
import type { Precision } from './options.js';

/** A tensor inside a file: a row of a checkpoint's or router's tensor table. */
export interface NativeTensor {
  name: string;
  /** The last two in weight caches only. */
  dtype: 'F32' | 'F16' | 'BF16' | 'I8' | 'I64';
  shape: number[];
  /** Index into the table's `files`. */
  file: number;
  /** Bytes from the start of the file. */
  offset: number;
  bytes: number;
}

export interface NativeTensorTable {
  files: string[];
  tensors: NativeTensor[];
}

/** Mirrors `model::ModelSpec`. */
export interface NativeModelSpec {
  layers: number;
  hiddenSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  intermediateSize: number;
  vocabSize: number;
  maxPositions: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: {
    factor: number;
    lowFreqFactor: number;
    highFreqFactor: number;
    originalMaxPositions: number;
  } | null;
  qkNorm: boolean;
  tiedHead: boolean;
  activation: 'silu';
}

/** Mirrors `router::LayerNames`. */
export interface NativeRouterLayer {
  weight: string;
  bias: string;
  layerNorm: { weight: string; bias: string } | null;
  batchNorm: { weight: string; bias: string; runningMean: string; runningVar: string } | null;
  activation: 'none' | 'relu' | 'gelu';
}

export interface NativeRouter extends NativeTensorTable {
  layers: NativeRouterLayer[];
}

/** Mirrors `model::WeightCachePlan`: a guard's int8 weights on disk, to be read, or written where they are not there or damaged. */
export interface NativeWeightCache {
  path: string;
  /** The file's bytes before its first tensor. */
  header: Uint8Array;
  /** Offsets from the start of the file; `file` is 0. */
  tensors: NativeTensor[];
  fileBytes: number;
}

/** Mirrors `ort::GuardSource` and `cuda::GuardSource`. */
export interface NativeGuard extends NativeTensorTable {
  /** The first two on the CPU, the others on the GPU. */
  precision: Precision;
  /** For `int8`; null keeps converted weights nowhere. */
  weightCache: NativeWeightCache | null;
  /** Budget for keys and values, bytes. */
  kvBytes: number;
  spec: NativeModelSpec;
  verdictIds: number[];
  /** Beside each of `verdictIds`: does this token mean unsafe? */
  verdictUnsafe: boolean[];
  router: NativeRouter | null;
}

export interface NativeEngineConfig {
  device: 'cpu' | 'cuda';
  small: NativeGuard;
  large: NativeGuard | null;
  escalation: NativeEscalationRule;
  valves: NativeValves;
  /** A score above this is unsafe; for the comparison of audits. */
  unsafeAt: number;
  queueRequests: number;
  batchTokens: number;
  batchRows: number;
  /** Predicted milliseconds that a pass of the large guard may take. */
  batchMs: number;
  /** Milliseconds that a hard row waits for company, and a bulk request behind interactive ones. */
  maxWaitMs: number;
  /** Bytes; 0 means what the machine has available. */
  memoryLimit: number;
  /** Threads of the process-wide pool; 0 means one per core. */
  threads: number;
  /** Mirrors `cuda::GpuLimit`: device memory of both guards together, in bytes or as a share of the device's; both 0: the default. */
  gpuLimit: { bytes: number; fraction: number };
}

export interface NativeReading {
  safe: number;
  unsafe: number;
  score: number;
  feature: Float32Array | null;
}

export type NativeEvent =
  | {
      kind: 'stage' | 'done';
      ticket: number;
      small: NativeReading | null;
      large: NativeReading | null;
      hardness: number | null;
      escalation: NativeEscalation;
      queueMs: number;
      smallMs: number;
      largeMs: number;
      totalMs: number;
      promptTokens: number;
      cachedTokens: number;
      computedTokens: number;
    }
  | { kind: 'routed'; ticket: number; hardness: number }
  | { kind: 'error'; ticket: number; code: string; message: string }
  /** The alarm has begun to ring, or has ended; of no ticket. */
  | { kind: 'alarm'; ticket: 0; alarm: NativeAlarm };

export interface NativeLaneStats {
  queued: number;
  running: number;
  batches: number;
  rows: number;
  tokens: number;
  cachedTokens: number;
  budgetTokens: number;
  evictedPages: number;
  kvPages: number;
  kvPagesUsed: number;
}

/** Milliseconds, of the requests settled since load; mirrors `engine::LatencyStats`. */
export interface NativeLatency {
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

export interface NativeStats {
  latency: { queue: NativeLatency; small: NativeLatency; large: NativeLatency; total: NativeLatency };
  small: NativeLaneStats;
  large: NativeLaneStats;
  submitted: number;
  completed: number;
  escalated: number;
  failed: number;
  cancelled: number;
  valves: NativeValveStats;
}

export interface NativeGuardInfo {
  hiddenSize: number;
  maxPositions: number;
  hasRouter: boolean;
  weightBytes: number;
  kvPages: number;
  pageBytes: number;
  /** What became of the weight cache: not asked for, read, written, or why it could not be used. */
  weightCache: 'none' | 'read' | 'written' | { warning: string };
  /** null where the guard lives in the host's memory. */
  gpuMemory: NativeGpuMemory | null;
}

export interface NativeSubmitOptions {
  wantFeature: boolean;
  bulk: boolean;
  /** Milliseconds from now, or null. */
  deadlineMs: number | null;
}

export interface NativeEngine {
  readonly small: NativeGuardInfo;
  readonly large: NativeGuardInfo | null;
  /** Copies the ids before it returns. `largeIds` null with target 'cascade' means: the same ids as for the small guard. */
  submit(
    target: 'cascade' | 'small' | 'large',
    smallIds: Int32Array | null,
    largeIds: Int32Array | null,
    options: NativeSubmitOptions,
  ): number;
  route(feature: Float32Array): number;
  /** Hardness of a feature, computed before it returns; null where only `route` can ask this router. */
  routeHere(feature: Float32Array): number | null;
  cancel(ticket: number): boolean;
  stats(): NativeStats;
  /** Resolves when both guards' threads have ended and their memory is free. Idempotent. */
  close(): Promise<void>;
}

export interface NativeAddon {
  /** Trains off the event loop; `onEpochs` gets the reports in batches. A wrong call rejects `done`. `threads` 0: one per core. */
  trainRouter(
    data: NativeTrainingData,
    plan: NativeTrainingPlan,
    threads: number,
    onEpochs: (reports: NativeEpochReport[]) => void,
  ): NativeTraining;
  /** Hardness of every row, `(rows)`, off the event loop. */
  routeFeatures(router: NativeRouter, features: NativeFeatures): Promise<Float32Array>;
  /** Resolves when both guards stand. `onEvents` gets every event of the engine, in batches. Errors carry `code`. */
  loadEngine(config: NativeEngineConfig, onEvents: (events: NativeEvent[]) => void): Promise<NativeEngine>;
  /** Version of the ONNX Runtime beside the addon; throws with a `code` if it can't be loaded. */
  runtimeVersion(): string;
  /** Instruction sets of this CPU that matter to the kernels, e.g. `['avx2', 'avx512f', 'avx512_vnni']`. */
  cpuFeatures(): string[];
  /** The GPU that guards would run on. Never rejects for want of one. */
  cudaDevice(): Promise<NativeCudaDevice>;
  /** Where guards would lie on a GPU of a given size; needs none. Throws with a `code` for what a spec or a router's file holds. */
  planGpuMemory(request: NativeGpuRequest): NativeGpuPlan;
  /** Bits of an int8 weight on this CPU: 8, or 7 where integer products saturate. Part of a weight cache's key, with the recipe's version. */
  int8Weights(): { bits: 7 | 8; recipe: number };
  /** Gives memory that was freed back to the system. Blocks for some milliseconds. */
  trimMemory(): void;
  /** Bytes that this process may still take. */
  availableMemory(): number;
  /** What loading a guard of this shape and running passes of `batchTokens` takes; the check before a load uses the same figures. */
  estimateMemory(
    spec: NativeModelSpec,
    precision: 'f32' | 'int8',
    batchTokens: number,
    kvBytes: number,
  ): NativeMemoryEstimate;
}

/** Mirrors `cuda::MemoryRequest`. */
export interface NativeGpuRequest {
  /** One, or the small and the large one. */
  guards: { name: string; spec: NativeModelSpec; verdictTokens: number; router: NativeRouter | null }[];
  precision: 'bf16' | 'fp8';
  batchTokens: number;
  batchRows: number;
  /** Of each guard. */
  kvBytes: number;
  gpuLimit: NativeEngineConfig['gpuLimit'];
  totalBytes: number;
  freeBytes: number;
  /** Of host memory that may be pinned. */
  hostBytes: number;
}

export interface NativeGpuPlan {
  fits: boolean;
  /** Lines for people. */
  table: string;
}

/** Mirrors `model::MemoryEstimate`. */
export interface NativeMemoryEstimate {
  /** Resident after the load. */
  weightBytes: number;
  /** Budget for keys and values. */
  kvBytes: number;
  /** On top of the weights while loading. */
  loadPeakBytes: number;
  /** On top of the weights while a batch runs. */
  activationBytes: number;
  /** The most at any time: the weights, and either what loading takes or keys, values and a batch. */
  peakBytes: number;
}

const load = require('node-gyp-build') as ((root: string) => NativeAddon) & { resolve(root: string): string };

const kRoot = join(__dirname, '..');

/** Path of the addon for this platform: the one built in this checkout, or the prebuilt one of the installed package. Throws ERR_UNSUPPORTED where there is none. */
export function findAddon(root: string = kRoot): string {
  try {
    return load.resolve(root);
  } catch (cause) {
    const prebuilds = join(root, 'prebuilds');
    const built = existsSync(prebuilds) ? readdirSync(prebuilds).join(', ') : 'none';
    const hint = existsSync(join(root, 'CMakeLists.txt')) ? '; npm run build makes one here' : '';
    throw new SafeRouteError(
      'ERR_UNSUPPORTED',
      `saferoute has no binary for ${platform()} (this package has: ${built})${hint}`,
      { cause },
    );
  }
}

/** The addon that `findAddon` finds. Throws ERR_UNSUPPORTED also where it cannot run here. */
export function loadAddon(root: string = kRoot): NativeAddon {
  const path = findAddon(root);
  try {
    return require(path) as NativeAddon;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SafeRouteError('ERR_UNSUPPORTED', `saferoute's binary does not run on ${platform()}: ${why}`, { cause });
  }
}

/** "linux-x64 with musl": prebuilt Linux binaries need glibc, which Alpine, for one, has not. */
export function platform(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return name;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined
    ? `${name} with musl`
    : `${name} with glibc ${header.glibcVersionRuntime}`;
}
