// The addon exports what lib/native.ts declares, to JavaScript, and what Node looks up, to the loader; nothing else.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { openRouter } from '../../lib/checkpoint/index.js';
import type {
  NativeAddon,
  NativeEngine,
  NativeEngineConfig,
  NativeEvent,
  NativeGuardInfo,
  NativeLaneStats,
  NativeLatency,
  NativeMemoryEstimate,
  NativeRouter,
  NativeStats,
  NativeSubmitOptions,
} from '../../lib/native.js';
import type { NativeCudaDevice, NativeCudaFacts } from '../../lib/native-cuda.js';
import type { NativeAlarm, NativeValveStats } from '../../lib/native-escalation.js';
import type { NativeTrainingData, NativeTrainingPlan } from '../../lib/native-training.js';
import { kRecipes } from '../../lib/train/recipes.js';

const kRoot = resolve(__dirname, '../..');
const kRelease = join(kRoot, 'build/Release');
const { loadAddon } = require('../../dist/native.js') as typeof import('../../lib/native.js');
const { openGuard } = require('../../dist/guard.js') as typeof import('../../lib/guard.js');

// The type checker holds these to the interfaces: a name too many or too few does not compile.
const kAddon: Record<keyof NativeAddon, true> = {
  loadEngine: true,
  runtimeVersion: true,
  cudaDevice: true,
  cpuFeatures: true,
  planGpuMemory: true,
  availableMemory: true,
  trimMemory: true,
  estimateMemory: true,
  int8Weights: true,
  trainRouter: true,
  routeFeatures: true,
};
const kEngine: Record<keyof NativeEngine, true> = {
  small: true,
  large: true,
  submit: true,
  route: true,
  routeHere: true,
  cancel: true,
  stats: true,
  close: true,
};
const kGuardInfo: Record<keyof NativeGuardInfo, true> = {
  hiddenSize: true,
  maxPositions: true,
  hasRouter: true,
  weightBytes: true,
  kvPages: true,
  pageBytes: true,
  weightCache: true,
  gpuMemory: true,
};
const kStats: Record<keyof NativeStats, true> = {
  latency: true,
  small: true,
  large: true,
  submitted: true,
  completed: true,
  escalated: true,
  failed: true,
  cancelled: true,
  valves: true,
};
const kLaneStats: Record<keyof NativeLaneStats, true> = {
  queued: true,
  running: true,
  batches: true,
  rows: true,
  tokens: true,
  cachedTokens: true,
  budgetTokens: true,
  evictedPages: true,
  kvPages: true,
  kvPagesUsed: true,
};
const kValveStats: Record<keyof NativeValveStats, true> = {
  decided: true,
  rule: true,
  audit: true,
  capped: true,
  shadow: true,
  auditsSkipped: true,
  auditsAgreed: true,
  auditsOnlyLargeUnsafe: true,
  auditsOnlySmallUnsafe: true,
  budgetThreshold: true,
  alarm: true,
};
const kAlarm: Record<keyof NativeAlarm, true> = {
  ringing: true,
  rate: true,
  low: true,
  high: true,
  ringsBelow: true,
  ringsAbove: true,
  window: true,
  ringingMs: true,
  rung: true,
};
const kLatency: Record<keyof NativeLatency, true> = { count: true, p50: true, p95: true, p99: true };
const kDone: Record<keyof Extract<NativeEvent, { kind: 'done' }>, true> = {
  kind: true,
  ticket: true,
  small: true,
  large: true,
  hardness: true,
  escalation: true,
  queueMs: true,
  smallMs: true,
  largeMs: true,
  totalMs: true,
  promptTokens: true,
  cachedTokens: true,
  computedTokens: true,
};
const kEstimate: Record<keyof NativeMemoryEstimate, true> = {
  weightBytes: true,
  kvBytes: true,
  loadPeakBytes: true,
  activationBytes: true,
  peakBytes: true,
};

const kCudaDevice: Record<keyof NativeCudaDevice, true> = { driver: true, problem: true, facts: true };
const kCudaFacts: Record<keyof NativeCudaFacts, true> = {
  name: true,
  computeMajor: true,
  computeMinor: true,
  multiprocessors: true,
  memoryBytes: true,
  freeBytes: true,
  driver: true,
  runtime: true,
  cublasLt: true,
  fp8: true,
};

const kOptions: NativeSubmitOptions = { wantFeature: false, bulk: false, deadlineMs: null };

describe('the addon', () => {
  const addon = loadAddon();

  it('exports what native.ts declares', () => {
    assert.deepEqual(Object.keys(addon).sort(), Object.keys(kAddon).sort());
  });

  it('makes engines with the members that native.ts declares', async () => {
    const native = await smallEngine(addon);
    const members = Object.getOwnPropertyNames(Object.getPrototypeOf(native)).filter((name) => name !== 'constructor');
    assert.deepEqual(members.sort(), Object.keys(kEngine).sort());
    await native.close();
  });

  it('gives objects with the members that native.ts declares', async () => {
    let settle: (event: NativeEvent) => void = () => {};
    const settled = new Promise<NativeEvent>((resolve) => {
      settle = resolve;
    });
    const plain = await smallConfig(addon);
    const config = { ...plain, valves: { ...plain.valves, alarm: { low: 0, high: 0.1, window: 10 } } };
    const native = await addon.loadEngine(config, ([event]) => settle(event as NativeEvent));
    native.submit('small', Int32Array.of(1, 2, 3), null, kOptions);
    requireMembers(await settled, kDone);
    requireMembers(native.small, kGuardInfo);
    const stats = native.stats();
    requireMembers(stats, kStats);
    requireMembers(stats.valves, kValveStats);
    requireMembers(stats.valves.alarm ?? assert.fail('there is no alarm'), kAlarm);
    for (const lane of [stats.small, stats.large]) requireMembers(lane, kLaneStats);
    for (const stage of ['queue', 'small', 'large', 'total'] as const) requireMembers(stats.latency[stage], kLatency);
    requireMembers(addon.estimateMemory(config.small.spec, 'int8', 2048, 1 << 20), kEstimate);
    await native.close();
  });

  it('speaks of its runtime and its machine', () => {
    assert.match(addon.runtimeVersion(), /^\d+\.\d+\.\d+$/);
    assert.ok(addon.availableMemory() > 0);
    assert.ok(addon.cpuFeatures().every((name) => /^[a-z0-9_]+$/.test(name)));
    const { bits, recipe } = addon.int8Weights();
    assert.ok(bits === 7 || bits === 8);
    assert.ok(recipe >= 1);
  });

  it('speaks of the GPU, or of why there is none', async () => {
    const device = await addon.cudaDevice();
    requireMembers(device, kCudaDevice);
    assert.equal(device.problem === null, device.facts !== null);
    if (device.facts !== null) requireMembers(device.facts, kCudaFacts);
    else assert.match(device.problem ?? '', device.driver ? /./ : /^no driver of an NVIDIA GPU was found$/);
  });

  it('loads nothing onto a GPU that is not there', async () => {
    const { problem } = await addon.cudaDevice();
    if (problem === null) return;
    const plain = await smallConfig(addon);
    const config: NativeEngineConfig = { ...plain, device: 'cuda', small: { ...plain.small, precision: 'bf16' } };
    await assert.rejects(
      addon.loadEngine(config, () => {}),
      { code: 'ERR_UNSUPPORTED' },
    );
  });

  it('shows the loader the entry points of Node alone', { skip: noSymbols() }, () => {
    const file = readdirSync(kRelease).find((name) => name.endsWith('.node')) ?? '';
    const { stdout } = spawnSync('nm', ['-D', '--defined-only', join(kRelease, file)], { encoding: 'utf8' });
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').at(-1));
    assert.deepEqual(names.sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });
});

describe('a wrong call from lib/', () => {
  const addon = loadAddon();

  it('throws a TypeError for an estimate of nothing it knows', async () => {
    const { spec } = (await smallConfig(addon)).small;
    const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    const calls: [() => unknown, string][] = [
      [() => addon.estimateMemory(spec, 'int4' as 'int8', 1, 0), "precision must be one of 'f32' 'int8'"],
      [() => addon.estimateMemory(spec, 'f32', 1.5, 0), 'batchTokens must be a 32-bit integer'],
      [() => addon.estimateMemory(spec, 'f32', 1, -1), 'kvBytes must be an integer from 0 to 2^53 - 1'],
    ];
    for (const [call, message] of calls) assert.throws(call, { ...refused, message });
  });

  it('rejects a load with a TypeError that names the member', async () => {
    const config = { ...(await smallConfig(addon)), batchRows: 'many' } as unknown as NativeEngineConfig;
    const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    await assert.rejects(
      addon.loadEngine(config, () => {}),
      {
        ...refused,
        message: 'config.batchRows must be a 32-bit integer',
      },
    );
    const sound = await smallConfig(addon);
    const cache = { path: '', header: 'text' as unknown as Uint8Array, tensors: [], fileBytes: 0 };
    await assert.rejects(
      addon.loadEngine({ ...sound, small: { ...sound.small, weightCache: cache } }, () => {}),
      { ...refused, message: 'config.small.weightCache.header must be a Uint8Array' },
    );
    await assert.rejects(
      addon.loadEngine({ ...sound, small: { ...sound.small, precision: 'int4' as 'int8' } }, () => {}),
      { ...refused, message: "config.small.precision must be one of 'f32' 'int8'" },
    );
    await assert.rejects(
      addon.loadEngine({ ...sound, device: 'tpu' as 'cpu' }, () => {}),
      { ...refused, message: "config.device must be one of 'cpu' 'cuda'" },
    );
    await assert.rejects(
      addon.loadEngine({ ...sound, device: 'cuda' }, () => {}),
      { ...refused, message: "config.small.precision must be one of 'bf16' 'fp8'" },
    );
    await assert.rejects(
      addon.loadEngine(null as unknown as NativeEngineConfig, () => {}),
      {
        ...refused,
        message: 'config must be an object',
      },
    );
    await assert.rejects(addon.loadEngine(await smallConfig(addon), null as unknown as () => void), {
      ...refused,
      message: 'onEvents must be a function',
    });
  });

  it('rejects a training and a routing with an error that names what is wrong', async () => {
    const features = { path: __filename, offset: 0, rows: 4, width: 2 };
    const data: NativeTrainingData = {
      features,
      targets: Float32Array.of(0, 1, 0, 1),
      trainRows: Int32Array.of(0, 1, 2, 3),
      validRows: new Int32Array(0),
    };
    const plan: NativeTrainingPlan = { ...kRecipes.official.plan, epochs: 1, seed: 0, statePath: null };
    const train = (changedData: object, changedPlan: object = {}, onEpochs: unknown = () => {}) => {
      const all = [{ ...data, ...changedData }, { ...plan, ...changedPlan }, 1, onEpochs] as const;
      const training = addon.trainRouter(...(all as Parameters<NativeAddon['trainRouter']>));
      training.stop();
      return training.done;
    };
    const typeError = (message: string) => ({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message });
    await assert.rejects(train({ targets: [0, 1] }), typeError('data.targets must be a Float32Array'));
    await assert.rejects(train({ validRows: null }), typeError('data.validRows must be an Int32Array'));
    await assert.rejects(
      train({ features: { ...features, rows: 0.5 } }),
      typeError('data.features.rows must be a 32-bit integer'),
    );
    await assert.rejects(train({}, { network: 'large' }), typeError("plan.network must be one of 'official' 'card'"));
    await assert.rejects(train({}, { gradientClip: '1' }), typeError('plan.gradientClip must be a number'));
    await assert.rejects(train({}, {}, null), typeError('onEpochs must be a function'));
    await assert.rejects(train({ targets: Float32Array.of(0, 1) }), { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
    await assert.rejects(train({ trainRows: Int32Array.of(0, 4) }), {
      code: 'ERR_OUT_OF_RANGE',
      message: /row 4 of 4/,
    });
    await assert.rejects(train({ features: { ...features, rows: 2 ** 30 } }), {
      code: 'ERR_CHECKPOINT',
      message: /past the end/,
    });

    const { router } = await openRouter(join(kRoot, 'test/fixtures/routers/card-48.safetensors'));
    const route = (changed: object) => addon.routeFeatures(router, { ...features, ...changed });
    await assert.rejects(route({ path: 5 }), typeError('features.path must be a string'));
    await assert.rejects(route({}), { code: 'ERR_CHECKPOINT', message: /reads 48 values.* 2 wide/ });
    await assert.rejects(route({ width: 48, rows: 2 ** 30 }), { code: 'ERR_CHECKPOINT', message: /past the end/ });
    await assert.rejects(route({ width: 48, offset: 2 }), { code: 'ERR_CHECKPOINT', message: /multiple of 4/ });
    await assert.rejects(
      addon.routeFeatures(null as unknown as NativeRouter, features),
      typeError('router must be an object'),
    );
  });

  it('throws a TypeError, RangeError or error with a code from every method', async () => {
    const native = await smallEngine(addon);
    const { small } = native;
    const ids = Int32Array.of(1);
    const wrong = (options: object) => ({ ...kOptions, ...options }) as NativeSubmitOptions;
    const calls: [() => unknown, string, string][] = [
      [() => native.submit('both' as 'small', ids, null, kOptions), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.submit('small', [1] as unknown as Int32Array, null, kOptions), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [
        () => native.submit('small', ids, null, true as unknown as NativeSubmitOptions),
        'TypeError',
        'ERR_INVALID_ARG_TYPE',
      ],
      [() => native.submit('small', ids, null, wrong({ wantFeature: 1 })), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.submit('small', ids, null, wrong({ bulk: null })), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.submit('small', ids, null, wrong({ deadlineMs: '1' })), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.submit('small', new Int32Array(0), null, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [() => native.submit('small', Int32Array.of(-1), null, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [() => native.submit('small', Int32Array.of(2 ** 30), null, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [() => native.submit('large', null, ids, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [
        () => native.submit('small', new Int32Array(small.maxPositions + 1), null, kOptions),
        'Error',
        'ERR_CONTEXT_LENGTH',
      ],
      [() => native.route([0] as unknown as Float32Array), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.route(new Float32Array(small.hiddenSize)), 'Error', 'ERR_UNSUPPORTED'],
      [() => native.routeHere([0] as unknown as Float32Array), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.routeHere(new Float32Array(small.hiddenSize)), 'Error', 'ERR_UNSUPPORTED'],
      [() => native.cancel('1' as unknown as number), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => new (native.constructor as new () => unknown)(), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ];
    for (const [call, name, code] of calls) assert.throws(call, { name, code });
    await native.close();
    assert.throws(() => native.submit('small', ids, null, kOptions), { code: 'ERR_CLOSED' });
    assert.equal(native.cancel(1), false);
    await native.close();
  });
});

function requireMembers(found: object, declared: Record<string, true>): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(declared).sort());
}

/** The configuration that lib/ makes for the embedded small guard. */
async function smallConfig(addon: NativeAddon): Promise<NativeEngineConfig> {
  let seen: NativeEngineConfig | undefined;
  const loadEngine: NativeAddon['loadEngine'] = (config, onEvents) => {
    seen = config;
    return addon.loadEngine(config, onEvents);
  };
  const guard = await openGuard(join(kRoot, 'models/tiny/small'), {}, () => ({ ...addon, loadEngine }));
  await guard.close();
  assert.ok(seen);
  return seen;
}

async function smallEngine(addon: NativeAddon): Promise<NativeEngine> {
  return addon.loadEngine(await smallConfig(addon), () => {});
}

function noSymbols(): string | false {
  if (process.platform !== 'linux') return 'nm reads ELF on Linux';
  return spawnSync('nm', ['--version']).status === 0 ? false : 'there is no nm here';
}
