import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Guard, openGuard } from '../../lib/guard.js';
import type { NativeCudaDevice, NativeCudaFacts } from '../../lib/native-cuda.js';
import type { GuardOptions } from '../../lib/options.js';
import { FakeAddon, type FakeBehaviour, nativeError } from './fake-addon.js';
import { kLlamaGuard } from './fixture-pairs.js';
import { coded } from './rejected.js';

const kFacts: NativeCudaFacts = {
  name: 'NVIDIA H200',
  computeMajor: 9,
  computeMinor: 0,
  multiprocessors: 132,
  memoryBytes: 150e9,
  freeBytes: 149e9,
  driver: '13.0',
  runtime: '13.0',
  cublasLt: '13.0.2',
  fp8: true,
};
const kHopper: NativeCudaDevice = { driver: true, problem: null, facts: kFacts };
const kAmpere = { ...kHopper, facts: { ...kFacts, name: 'NVIDIA A100', computeMajor: 8, fp8: false } };
const kBroken: NativeCudaDevice = { driver: true, problem: "cuBLASLt can't be loaded", facts: null };

interface Opened {
  guard: Guard;
  addon: FakeAddon;
  warnings: string[];
}

/** Opens a guard and closes it with the test; the warnings of the process meanwhile are caught. */
async function open(test: TestContext, behaviour: FakeBehaviour, options: GuardOptions = {}): Promise<Opened> {
  const warnings: string[] = [];
  test.mock.method(process, 'emitWarning', (message: string, { code }: { code: string }) => {
    warnings.push(`${code}: ${message}`);
  });
  const addon = new FakeAddon(behaviour);
  const guard = await openGuard(kLlamaGuard, { cacheDir: null, ...options }, () => addon);
  test.after(() => guard.close());
  return { guard, addon, warnings };
}

describe('the device of a load', () => {
  it('is the GPU where guards can run on it', async (test) => {
    const { guard, addon, warnings } = await open(test, { cuda: kHopper }, { device: 'auto' });
    const { device, small } = addon.engine.config;
    assert.deepEqual([device, small.precision, small.weightCache], ['cuda', 'bf16', null]);
    assert.deepEqual([guard.device, guard.precision], ['cuda', 'bf16']);
    assert.deepEqual(warnings, []);
  });

  it('is the CPU without a word where there is no driver', async (test) => {
    const { guard, addon, warnings } = await open(test, {}, { device: 'auto' });
    assert.deepEqual([addon.engine.config.device, guard.device, guard.precision], ['cpu', 'cpu', 'int8']);
    assert.deepEqual(warnings, []);
  });

  it('is the CPU with a warning where there is a driver and guards cannot run', async (test) => {
    const { guard, warnings } = await open(test, { cuda: kBroken }, { device: 'auto' });
    assert.equal(guard.device, 'cpu');
    assert.deepEqual(warnings, ["SAFEROUTE_DEVICE: guards run on the CPU: cuBLASLt can't be loaded"]);
  });

  it('is the CPU where nothing, it, or one of its precisions was asked for, and nobody asks the GPU', async (test) => {
    for (const options of [{}, { device: 'cpu' }, { precision: 'f32' }, { precision: 'int8' }] as const) {
      const { guard, addon } = await open(test, { cuda: kHopper }, options);
      assert.equal(guard.device, 'cpu');
      assert.equal(addon.cudaAsked, 0);
    }
  });

  it('is the CPU with a warning where the guards do not fit the GPU', async (test) => {
    const gpuError = nativeError('ERR_MEMORY', 'the plan needs 20 GiB, 16 GiB are free');
    const { guard, addon, warnings } = await open(test, { cuda: kHopper, gpuError }, { device: 'auto' });
    assert.deepEqual([guard.device, guard.precision], ['cpu', 'int8']);
    assert.equal(addon.engines.length, 1);
    assert.deepEqual(warnings, ['SAFEROUTE_DEVICE: guards run on the CPU: the plan needs 20 GiB, 16 GiB are free']);
  });

  it('falls back from no error that the CPU would meet too', async (test) => {
    const gpuError = nativeError('ERR_NOT_FINITE', 'a weight is NaN');
    await assert.rejects(open(test, { cuda: kHopper, gpuError }, { device: 'auto' }), coded('ERR_NOT_FINITE', 'NaN'));
  });

  it('falls back to nothing where the GPU was asked for', async (test) => {
    const gpuError = nativeError('ERR_MEMORY', 'the plan needs 20 GiB');
    await assert.rejects(open(test, { cuda: kHopper, gpuError }, { device: 'cuda' }), coded('ERR_MEMORY', '20 GiB'));
    await assert.rejects(
      open(test, { cuda: kBroken }, { device: 'cuda' }),
      coded('ERR_UNSUPPORTED', "'cuda'", 'cuBLASLt'),
    );
    await assert.rejects(open(test, {}, { precision: 'bf16' }), coded('ERR_UNSUPPORTED', "'cuda'", 'no driver'));
  });

  it('has FP8 from compute capability 8.9 on', async (test) => {
    const { guard } = await open(test, { cuda: kHopper }, { precision: 'fp8' });
    assert.equal(guard.precision, 'fp8');
    await assert.rejects(
      open(test, { cuda: kAmpere }, { precision: 'fp8' }),
      coded('ERR_UNSUPPORTED', "'fp8'", '8.9', 'NVIDIA A100', '8.0'),
    );
  });

  it('takes the limit of its memory along', async (test) => {
    const { addon } = await open(test, { cuda: kHopper }, { device: 'cuda', memory: { gpu: 0.5 } });
    assert.deepEqual(addon.engine.config.gpuLimit, { bytes: 0, fraction: 0.5 });
  });
});
