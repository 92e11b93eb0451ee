/** An addon without native code: it answers from the ids alone, or only when a test says so. */

import type {
  NativeAddon,
  NativeEngine,
  NativeEngineConfig,
  NativeEvent,
  NativeGuard,
  NativeGuardInfo,
  NativeLaneStats,
  NativeReading,
  NativeRouter,
  NativeStats,
  NativeSubmitOptions,
} from '../../lib/native.js';
import type { NativeCudaDevice } from '../../lib/native-cuda.js';
import type { NativeEscalation, NativeValveStats } from '../../lib/native-escalation.js';
import type {
  NativeFeatures,
  NativeTrainedRouter,
  NativeTraining,
  NativeTrainingData,
  NativeTrainingPlan,
} from '../../lib/native-training.js';

export interface FakeSubmission {
  ticket: number;
  target: 'cascade' | 'small' | 'large';
  smallIds: number[] | null;
  largeIds: number[] | null;
  feature: boolean;
  bulk: boolean;
  deadlineMs: number | null;
}

export interface FakeBehaviour {
  /** Nothing is answered before `engine.answer(ticket)` or `engine.emit(events)`. */
  held?: boolean;
  /** What the small guard's score is for its ids. Default 0.25. */
  score?: (ids: number[]) => number;
  /** What the router says. Default 0.25: easy. */
  hardness?: (ids: number[]) => number;
  /** No more requests may go to the large guard. */
  capped?: boolean;
  loadError?: Error;
  /** What is said of the GPU. Default: there is none. */
  cuda?: NativeCudaDevice;
  /** What a load onto the GPU ends with. */
  gpuError?: Error;
  submitError?: Error;
  routeError?: Error;
  /** What comes of reading a head. */
  headError?: { code: string; message: string };
  /** What became of each guard's weight cache. Default 'none'. */
  weightCache?: NativeGuardInfo['weightCache'];
  /** What each guard was given of the GPU. Default: nothing. */
  gpuMemory?: NativeGuardInfo['gpuMemory'];
  /** What `stats` tells, over zeros. */
  stats?: () => Partial<NativeStats>;
  /** The router can be asked on the caller's thread. */
  routesHere?: boolean;
  /** What the router says of a row of a features file. Default 0.25: easy. */
  rowHardness?: (row: number) => number;
  /** What training ends with. Default: ERR_UNSUPPORTED, since nothing here can train. */
  trained?: (data: NativeTrainingData, plan: NativeTrainingPlan) => NativeTrainedRouter;
}

type Done = Extract<NativeEvent, { kind: 'stage' | 'done' }>;

const kFirstHead = 1 << 20; // tickets of heads, apart from those that tests count
export const kIdleLane: NativeLaneStats = {
  queued: 0,
  running: 0,
  batches: 0,
  rows: 0,
  tokens: 0,
  cachedTokens: 0,
  budgetTokens: 0,
  evictedPages: 0,
  kvPages: 0,
  kvPagesUsed: 0,
};

export class FakeEngine implements NativeEngine {
  readonly small;
  readonly large;
  /** What the load itself has read: the beginnings that each guard's prompts share. */
  readonly heads: FakeSubmission[] = [];
  /** What was submitted since. */
  readonly submissions: FakeSubmission[] = [];
  readonly cancelled: number[] = [];
  readonly features: Float32Array[] = [];
  /** Set by whoever loads, once the load is done. */
  loaded = false;
  closes = 0;
  #lastTicket = 0;

  constructor(
    readonly config: NativeEngineConfig,
    readonly emit: (events: NativeEvent[]) => void,
    readonly behaviour: FakeBehaviour,
  ) {
    this.small = info(config.small, behaviour);
    this.large = config.large && info(config.large, behaviour);
  }

  submit(
    target: FakeSubmission['target'],
    small: Int32Array | null,
    large: Int32Array | null,
    { wantFeature: feature, bulk, deadlineMs }: NativeSubmitOptions,
  ): number {
    if (this.loaded && this.behaviour.submitError) throw this.behaviour.submitError;
    const ids = { smallIds: small && [...small], largeIds: large && [...large] };
    const wanted = { target, ...ids, feature, bulk, deadlineMs };
    if (!this.loaded) return this.#readHead({ ticket: kFirstHead + this.heads.length, ...wanted });
    const ticket = ++this.#lastTicket;
    this.submissions.push({ ticket, ...wanted });
    if (!this.behaviour.held) setImmediate(() => this.answer(ticket));
    return ticket;
  }

  #readHead(head: FakeSubmission): number {
    const { ticket } = head;
    const { headError: error } = this.behaviour;
    this.heads.push(head);
    setImmediate(() => this.emit(error ? [{ kind: 'error', ticket, ...error }] : this.eventsOf(ticket)));
    return ticket;
  }

  /** What a real engine would say of the ticket, stage by stage; nothing if it was cancelled. */
  answer(ticket: number): void {
    if (!this.cancelled.includes(ticket)) this.emit(this.eventsOf(ticket));
  }

  route(feature: Float32Array): number {
    const ticket = ++this.#lastTicket;
    this.features.push(feature);
    setImmediate(() => this.emit([{ kind: 'routed', ticket, hardness: feature[0] as number }]));
    return ticket;
  }

  routeHere(feature: Float32Array): number | null {
    if (this.behaviour.routeError) throw this.behaviour.routeError;
    return this.behaviour.routesHere ? (feature[0] as number) : null;
  }

  cancel(ticket: number): boolean {
    this.cancelled.push(ticket);
    return true;
  }

  stats(): NativeStats {
    const latency = { count: 0, p50: 0, p95: 0, p99: 0 };
    return {
      latency: { queue: latency, small: latency, large: latency, total: latency },
      small: kIdleLane,
      large: kIdleLane,
      submitted: this.heads.length + this.submissions.length,
      completed: 0,
      escalated: 0,
      failed: 0,
      cancelled: this.cancelled.length,
      valves: kIdleValves,
      ...this.behaviour.stats?.(),
    };
  }

  async close(): Promise<void> {
    this.closes++;
  }

  /** As the real one where there is room under every cap, and every easy request is audited or none. */
  #escalationOf(hardness: number | null): NativeEscalation {
    const { escalation, valves } = this.config;
    const { kind, threshold } = escalation;
    const isHard = kind === 'always' || (kind === 'router' && (hardness ?? 0) > threshold);
    if (valves.shadow) return isHard ? 'shadow' : 'none';
    if (isHard) return this.behaviour.capped ? 'capped' : 'rule';
    return valves.auditRate === 1 ? 'audit' : 'none';
  }

  /** The stage, where the ticket goes on to the large guard, and the end. */
  eventsOf(ticket: number): NativeEvent[] {
    const submission = [...this.submissions, ...this.heads].find((made) => made.ticket === ticket);
    if (submission === undefined) throw new Error(`no ticket ${ticket}`);
    const { target, smallIds, largeIds } = submission;
    const width = submission.feature ? this.config.small.spec.hiddenSize : null;
    const { score = () => 0.25, hardness = () => 0.25 } = this.behaviour;
    const small = smallIds && reading(score(smallIds), width);
    const hard = smallIds && this.config.small.router ? hardness(smallIds) : null;
    const done: Done = {
      kind: 'done',
      ticket,
      small,
      large: target === 'large' ? reading(score(largeIds ?? []), width) : null,
      hardness: hard,
      escalation: 'none',
      queueMs: 1,
      smallMs: 2,
      largeMs: 0,
      totalMs: 3,
      promptTokens: (smallIds ?? largeIds ?? []).length,
      cachedTokens: 0,
      computedTokens: (smallIds ?? largeIds ?? []).length,
    };
    const escalation = target === 'cascade' ? this.#escalationOf(hard) : 'none';
    if (escalation !== 'rule' && escalation !== 'audit') return [{ ...done, escalation }];
    // The large guard of the fake is sure of the opposite.
    const large = reading(1 - (small?.score ?? 0), null);
    return [
      { ...done, kind: 'stage', escalation },
      { ...done, escalation, large, largeMs: 4, totalMs: 8 },
    ];
  }
}

export const kIdleValves: NativeValveStats = {
  decided: 0,
  rule: 0,
  audit: 0,
  capped: 0,
  shadow: 0,
  auditsSkipped: 0,
  auditsAgreed: 0,
  auditsOnlyLargeUnsafe: 0,
  auditsOnlySmallUnsafe: 0,
  budgetThreshold: null,
  alarm: null,
};

export class FakeAddon implements NativeAddon {
  readonly engines: FakeEngine[] = [];
  /** How often somebody asked for the GPU. */
  cudaAsked = 0;

  constructor(readonly behaviour: FakeBehaviour = {}) {}

  async loadEngine(config: NativeEngineConfig, onEvents: (events: NativeEvent[]) => void): Promise<NativeEngine> {
    if (this.behaviour.loadError) throw this.behaviour.loadError;
    if (config.device === 'cuda' && this.behaviour.gpuError) throw this.behaviour.gpuError;
    const engine = new FakeEngine(config, onEvents, this.behaviour);
    this.engines.push(engine);
    return engine;
  }

  trainRouter(data: NativeTrainingData, plan: NativeTrainingPlan): NativeTraining {
    const { trained } = this.behaviour;
    const done = trained
      ? Promise.resolve(trained(data, plan))
      : Promise.reject(nativeError('ERR_UNSUPPORTED', 'the fake trains nothing'));
    return { done, stop: () => {} };
  }

  async routeFeatures(_router: NativeRouter, { rows }: NativeFeatures): Promise<Float32Array> {
    const { rowHardness = () => 0.25 } = this.behaviour;
    return Float32Array.from({ length: rows }, (_, row) => rowHardness(row));
  }

  async cudaDevice(): Promise<NativeCudaDevice> {
    this.cudaAsked++;
    return this.behaviour.cuda ?? { driver: false, problem: 'no driver was found', facts: null };
  }

  get engine(): FakeEngine {
    const engine = this.engines[0];
    if (engine === undefined) throw new Error('nothing was loaded');
    return engine;
  }

  runtimeVersion = () => '0.0.0';
  cpuFeatures = () => [];
  availableMemory = () => 2 ** 30;
  trimMemory = () => {};
  int8Weights = () => ({ bits: 8 as const, recipe: 1 });
  planGpuMemory = () => ({ fits: true, table: '' });
  estimateMemory = () => ({ weightBytes: 2, kvBytes: 0, loadPeakBytes: 1, activationBytes: 0, peakBytes: 3 });
}

function info(
  { spec, router }: NativeGuard,
  { weightCache = 'none', gpuMemory = null }: FakeBehaviour,
): NativeGuardInfo {
  const { hiddenSize, maxPositions } = spec;
  const sizes = { weightBytes: 0, kvPages: 0, pageBytes: 0 };
  return { hiddenSize, maxPositions, hasRouter: router !== null, ...sizes, weightCache, gpuMemory };
}

/** `width` of the feature; null: none was asked for. */
function reading(score: number, width: number | null): NativeReading {
  return {
    safe: 0,
    unsafe: Math.log(score / (1 - score)),
    score,
    feature: width === null ? null : new Float32Array(width).fill(score),
  };
}

/** An error as native code throws it. */
export function nativeError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
