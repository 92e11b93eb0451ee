// Who takes part where, and how much of a GPU each of them is given.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bench, Effort } from '../../bench/cases/case.js';
import { compare } from '../../bench/cases/comparison.js';
import { kCases } from '../../bench/cases/index.js';
import { setLengths } from '../../bench/cases/test-set.js';
import type { Setup } from '../../bench/contenders/contender.js';
import { entrant, entrantNames } from '../../bench/contenders/entrants.js';
import { gpuNeed, kGpuBatchTokens, kGpuKvBytes, reservation } from '../../bench/contenders/gpu-need.js';
import { type Device, kDevices, requireGpu } from '../../bench/device.js';
import { setupOf } from '../../bench/trial/setup-of.js';
import { type GuardShape, kShapes, type ShapeName } from '../../bench/weights/shapes.js';
import { kHeadTokens, kTailTokens, wordsText } from '../../bench/weights/template.js';
import { loadAddon, type NativeGpuPlan, type NativeGpuRequest } from '../../lib/native.js';
import { FakeAddon } from '../lib/fake-addon.js';

/** A run that records what it is told; `chosen` without a name lets nobody take part. */
function run(device: Device, effort: Effort, chosen: Bench['chosen'] = new Set()): Bench & { told: string[] } {
  const told: string[] = [];
  return {
    device,
    effort,
    threads: 1,
    gpu: null,
    chosen,
    peak: null,
    facts: new Map(),
    note: (line) => told.push(`note: ${line}`),
    fail: (line) => told.push(`fail: ${line}`),
    progress: () => {},
    told,
  };
}

test('every case names contenders of the device that it runs on, at every effort', async () => {
  for (const device of kDevices) {
    for (const effort of ['quick', 'standard', 'full'] as const) {
      for (const one of kCases.filter(({ devices }) => devices.includes(device))) {
        const bench = run(device, effort);
        assert.deepEqual(await one.run(bench), [], one.name);
        assert.deepEqual(bench.told, [], one.name);
      }
    }
  }
});

test('names are told apart', () => {
  const names = kDevices.flatMap(entrantNames);
  assert.equal(new Set(names).size, names.length);
  assert.throws(() => entrant('nobody'), /'nobody'; there are saferoute-int8,/);
});

test('a contender that fails is told of, and the others are measured', async () => {
  const bench = run('cpu', 'quick', null);
  const point = {
    label: 'spin',
    unit: 'ms' as const,
    samples: 1,
    warmups: 0,
    values: ({ ms }: { ms: number }) => [ms],
  };
  const comparison = { case: 'probe', guard: null, inFlight: 1, promptTokens: 1, entrants: ['control'] };
  const points = [
    { ...point, label: 'fails', work: () => ({ kind: 'multiply' as const, tokens: 1 }) },
    { ...point, work: () => ({ kind: 'spin' as const, ms: 1 }) },
  ];
  const figures = await compare(bench, { ...comparison, points });
  assert.deepEqual(
    figures.map(({ point: label }) => label),
    ['spin'],
  );
  assert.deepEqual(bench.told, [
    "fail: probe: control failed: the control cannot be asked for work of the kind 'multiply'",
  ]);
});

test('a run on a GPU is refused where guards cannot run, and names it where they can', async () => {
  await assert.rejects(requireGpu(new FakeAddon()), {
    name: 'Unavailable',
    message: /--device cuda: .* saferoute doctor says: cuda not used: no driver was found/,
  });
  const facts = { name: 'NVIDIA H200', computeMajor: 9, computeMinor: 0, multiprocessors: 132, fp8: true };
  const sizes = { memoryBytes: 141 * 2 ** 30, freeBytes: 140 * 2 ** 30 };
  const versions = { driver: '13.0', runtime: '12.9', cublasLt: '12.9.1' };
  const cuda = { driver: true, problem: null, facts: { ...facts, ...sizes, ...versions } };
  const { driver: _, ...gpu } = await requireGpu(new FakeAddon({ cuda }));
  assert.deepEqual(gpu, {
    name: 'NVIDIA H200',
    computeCapability: '9.0',
    memoryGiB: 141,
    driverCuda: '13.0',
    cuda: '12.9',
    cublasLt: '12.9.1',
    fp8: true,
  });
});

test('what ours may reserve holds weights, keys and values as asked, and a whole pass, and nothing is streamed', () => {
  const load = { guard: 'llama-guard-3-1b', inFlight: 256, promptTokens: 2048 };
  for (const name of entrantNames('cuda').filter((one) => entrant(one).engine === 'saferoute')) {
    const setup = setupOf({ threads: 1 }, entrant(name), load);
    const limit = Math.ceil(reservation(setup));
    const { fits, table } = planOf(setup, limit);
    assert.ok(fits, `${name}\n${table}`);
    assert.doesNotMatch(table, kShortage, name);
    assert.match(planOf(setup, Math.ceil(limit / 3)).table, kShortage, 'a third of it is too little');
    assert.ok(gpuNeed(setup) > limit, 'CUDA itself takes some');
  }
});

const kShortage = /streamed|host memory|asked for|fits +no/;

function planOf(setup: Setup, limit: number): NativeGpuPlan {
  const guards = [setup.guard, ...(setup.pair === null ? [] : [setup.pair.large])] as ShapeName[];
  return loadAddon().planGpuMemory({
    guards: guards.map((guard, index) => planned(index === 0 ? 'small' : 'large', kShapes[guard])),
    precision: setup.weights as 'bf16' | 'fp8',
    batchTokens: kGpuBatchTokens,
    batchRows: 256,
    kvBytes: kGpuKvBytes,
    gpuLimit: { bytes: limit, fraction: 0 },
    totalBytes: 80e9,
    freeBytes: 80e9,
    hostBytes: 100e9,
  });
}

function planned(name: string, shape: GuardShape): NativeGpuRequest['guards'][number] {
  const { architecture, name: _, ...sizes } = shape;
  const spec = { ...sizes, maxPositions: 131_072, qkNorm: architecture === 'qwen3', activation: 'silu' as const };
  return { name, spec, verdictTokens: 2, router: null };
}

test('the whole set has as many messages as the histogram, and no two of a run begin alike', () => {
  const lengths = setLengths();
  assert.equal(lengths.length, 1680);
  assert.deepEqual(setLengths(), lengths);
  assert.ok(Math.min(...lengths) >= 1 && kHeadTokens + Math.max(...lengths) + kTailTokens < kGpuBatchTokens);
  const beginnings = new Set(Array.from({ length: 6 * lengths.length }, (_, index) => wordsText(1, index * 97)));
  assert.equal(beginnings.size, 6 * lengths.length);
});
