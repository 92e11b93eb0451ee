/** What `stats()` tells: counts since the load, what waits and runs now, and how long things take. */

import {
  type AlarmStats,
  type AuditStats,
  type EscalationStats,
  toAlarmStats,
  toAuditStats,
  toEscalationStats,
} from './escalation-stats.js';
import type { NativeGuardInfo, NativeLaneStats, NativeLatency, NativeStats } from './native.js';
import type { NativeGpuMemory } from './native-cuda.js';

export interface Stats {
  /** Requests since the load; one that is in none of the last three counts is still pending. */
  requests: { submitted: number; completed: number; failed: number; cancelled: number };
  /** Share of the completed requests that the large guard read after the small one, 0 to 1; 0 before the first. */
  escalation_rate: number;
  escalation: EscalationStats;
  /** null where nothing is audited. */
  audits: AuditStats | null;
  /** null where there is none. */
  alarm: AlarmStats | null;
  small: GuardStats;
  /** null where there is no large guard. */
  large: GuardStats | null;
  /**
   * Milliseconds that requests spent waiting for a guard, in each guard's batches, and in all, within 5 % of the exact value. The reading of
   * the templates' heads at the load is among them.
   */
  latency_ms: { queue: Percentiles; small: Percentiles; large: Percentiles; total: Percentiles };
}

export interface GuardStats {
  /** Prompts that wait for this guard now. */
  queued: number;
  /** Prompts in the batch that runs now; where a GPU runs both guards in one pass, those that the large one may read. */
  running: number;
  /** Batches since the load. */
  batches: number;
  /** Prompts in them. */
  prompts: number;
  /** Share of the batches' token budget that was used, 0 to 1; 0 before the first. */
  batch_fill: number;
  /** Tokens read since the load: computed, or found in the prefix cache. */
  tokens: { computed: number; cached: number };
  /** Share of the tokens that were found in the prefix cache, 0 to 1; 0 before the first. */
  cache_hits: number;
  /** Pages of keys and values: within the budget, in use by batches and kept prefixes, and given up for others since the load. */
  kv_pages: { total: number; used: number; evicted: number };
  /** What the guard was given of the GPU's memory at load; null on the CPU. */
  gpu_memory: GpuMemoryStats | null;
}

/** Bytes. */
export interface GpuMemoryStats {
  /** Of all parts. */
  reserved: number;
  /** Of host memory, where the guard's weights did not fit and are streamed from it. */
  pinned: number;
  /** What it is for: layers, keys and values, what passes work with, and so on. */
  parts: { purpose: string; reserved: number; used: number }[];
}

/** Of how many, and what the share of them stays within; 0 where there were none. */
export interface Percentiles {
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

type GuardMemory = Pick<NativeGuardInfo, 'gpuMemory'>;

/** `atLoad`: what the engine had counted when the load was done; what it did for itself until then is none of the caller's requests. */
export function toStats(
  native: NativeStats,
  atLoad: NativeStats,
  parts: { small: GuardMemory; large: GuardMemory | null; audit: boolean },
): Stats {
  const { latency, valves } = native;
  const completed = native.completed - atLoad.completed;
  return {
    requests: {
      submitted: native.submitted - atLoad.submitted,
      completed,
      failed: native.failed - atLoad.failed,
      cancelled: native.cancelled - atLoad.cancelled,
    },
    escalation_rate: share(native.escalated - atLoad.escalated, completed),
    escalation: toEscalationStats(valves),
    audits: parts.audit ? toAuditStats(valves) : null,
    alarm: valves.alarm === null ? null : toAlarmStats(valves.alarm, Date.now()),
    small: toGuardStats(native.small, atLoad.small, parts.small),
    large: parts.large ? toGuardStats(native.large, atLoad.large, parts.large) : null,
    latency_ms: {
      queue: toPercentiles(latency.queue),
      small: toPercentiles(latency.small),
      large: toPercentiles(latency.large),
      total: toPercentiles(latency.total),
    },
  };
}

function toGuardStats(lane: NativeLaneStats, atLoad: NativeLaneStats, { gpuMemory }: GuardMemory): GuardStats {
  const computed = lane.tokens - atLoad.tokens;
  const cached = lane.cachedTokens - atLoad.cachedTokens;
  return {
    queued: lane.queued,
    running: lane.running,
    batches: lane.batches - atLoad.batches,
    prompts: lane.rows - atLoad.rows,
    batch_fill: share(computed, lane.budgetTokens - atLoad.budgetTokens),
    tokens: { computed, cached },
    cache_hits: share(cached, computed + cached),
    kv_pages: { total: lane.kvPages, used: lane.kvPagesUsed, evicted: lane.evictedPages - atLoad.evictedPages },
    gpu_memory: gpuMemory && toGpuMemoryStats(gpuMemory),
  };
}

function toGpuMemoryStats({ parts, pinnedBytes }: NativeGpuMemory): GpuMemoryStats {
  return {
    reserved: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    pinned: pinnedBytes,
    parts: parts.map(({ purpose, bytes, usedBytes }) => ({ purpose, reserved: bytes, used: usedBytes })),
  };
}

function toPercentiles({ count, p50, p95, p99 }: NativeLatency): Percentiles {
  return { count, p50, p95, p99 };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
