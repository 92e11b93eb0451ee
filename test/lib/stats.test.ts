// What stats() makes of the engine's counts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NativeLaneStats, NativeStats } from '../../lib/native.js';
import { toStats } from '../../lib/stats.js';
import { kIdleLane, kIdleValves } from './fake-addon.js';
import { fakePair, kEasy, kPair } from './fixture-pairs.js';

const kNone = { count: 0, p50: 0, p95: 0, p99: 0 };
const kNothing: NativeStats = {
  latency: { queue: kNone, small: kNone, large: kNone, total: kNone },
  small: kIdleLane,
  large: kIdleLane,
  submitted: 0,
  completed: 0,
  escalated: 0,
  failed: 0,
  cancelled: 0,
  valves: kIdleValves,
};
const kOnCpu = { gpuMemory: null };
const kAlone = { small: kOnCpu, large: null, audit: false };

const lane = (changes: Partial<NativeLaneStats>): NativeLaneStats => ({ ...kIdleLane, ...changes });

describe('stats', () => {
  it('are zeros before anything has happened, never NaN', () => {
    const stats = toStats(kNothing, kNothing, { small: kOnCpu, large: kOnCpu, audit: true });
    assert.deepEqual(stats, {
      requests: { submitted: 0, completed: 0, failed: 0, cancelled: 0 },
      escalation_rate: 0,
      escalation: { decided: 0, rule: 0, audit: 0, capped: 0, shadow: 0, rate: 0, threshold: null },
      audits: { agreed: 0, missed: 0, overblocked: 0, skipped: 0 },
      alarm: null,
      small: {
        queued: 0,
        running: 0,
        batches: 0,
        prompts: 0,
        batch_fill: 0,
        tokens: { computed: 0, cached: 0 },
        cache_hits: 0,
        kv_pages: { total: 0, used: 0, evicted: 0 },
        gpu_memory: null,
      },
      large: stats.small,
      latency_ms: { queue: kNone, small: kNone, large: kNone, total: kNone },
    });
  });

  it('have shares of what they are shares of', () => {
    const small = lane({
      queued: 3,
      running: 4,
      batches: 5,
      rows: 20,
      tokens: 600,
      cachedTokens: 1800,
      budgetTokens: 1000,
      evictedPages: 6,
      kvPages: 100,
      kvPagesUsed: 40,
    });
    const total = { count: 40, p50: 1, p95: 2, p99: 3 };
    const native: NativeStats = {
      ...kNothing,
      small,
      submitted: 50,
      completed: 40,
      escalated: 10,
      failed: 2,
      cancelled: 1,
      latency: { queue: kNone, small: kNone, large: kNone, total },
    };
    const stats = toStats(native, kNothing, kAlone);
    assert.deepEqual(stats.requests, { submitted: 50, completed: 40, failed: 2, cancelled: 1 });
    assert.equal(stats.escalation_rate, 0.25);
    assert.equal(stats.large, null);
    assert.deepEqual(stats.small, {
      queued: 3,
      running: 4,
      batches: 5,
      prompts: 20,
      batch_fill: 0.6,
      tokens: { computed: 600, cached: 1800 },
      cache_hits: 0.75,
      kv_pages: { total: 100, used: 40, evicted: 6 },
      gpu_memory: null,
    });
    assert.deepEqual(stats.latency_ms.total, total);
  });

  it("tell each guard's part of the GPU", () => {
    const parts = [
      { purpose: 'layers', bytes: 100, usedBytes: 90 },
      { purpose: 'keys and values', bytes: 30, usedBytes: 30 },
    ];
    const onGpu = { gpuMemory: { parts, pinnedBytes: 7, notice: '' } };
    const { small, large } = toStats(kNothing, kNothing, { small: onGpu, large: kOnCpu, audit: false });
    assert.deepEqual(small.gpu_memory, {
      reserved: 130,
      pinned: 7,
      parts: [
        { purpose: 'layers', reserved: 100, used: 90 },
        { purpose: 'keys and values', reserved: 30, used: 30 },
      ],
    });
    assert.equal(large?.gpu_memory, null);
  });

  it('leave out what the load itself did, but not what it left in the cache', () => {
    const read = lane({ batches: 2, rows: 2, tokens: 200, budgetTokens: 4096, kvPages: 100, kvPagesUsed: 13 });
    const atLoad: NativeStats = { ...kNothing, small: read, submitted: 2, completed: 2 };
    const idle = toStats(atLoad, atLoad, kAlone);
    assert.deepEqual(idle.requests, { submitted: 0, completed: 0, failed: 0, cancelled: 0 });
    assert.deepEqual([idle.small.batches, idle.small.prompts, idle.small.cache_hits], [0, 0, 0]);
    assert.deepEqual(idle.small.kv_pages, { total: 100, used: 13, evicted: 0 });
    const now: NativeStats = {
      ...atLoad,
      small: lane({ ...read, batches: 3, rows: 6, tokens: 240, cachedTokens: 360, budgetTokens: 4136 }),
      submitted: 6,
      completed: 6,
      escalated: 1,
    };
    const stats = toStats(now, atLoad, kAlone);
    assert.equal(stats.escalation_rate, 0.25);
    assert.deepEqual([stats.small.batch_fill, stats.small.cache_hits], [1, 0.9]);
  });

  it('are had from a pair, with the large guard’s where there is one', async (context) => {
    const { saferoute } = await fakePair(context);
    await saferoute.check(kEasy);
    const stats = saferoute.stats();
    assert.equal(stats.requests.submitted, 1);
    assert.ok(stats.large !== null);
    const alone = await fakePair(context, {}, { ...kPair, large: null, router: null });
    assert.equal(alone.saferoute.stats().large, null);
  });
});
