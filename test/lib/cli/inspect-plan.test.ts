// What --plan asks native code for, and what it refuses.
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { UsageError } from '../../../lib/cli/exit.js';
import { type PlanFlagValues, planSettings, planTarget } from '../../../lib/cli/inspect-plan.js';
import { inspectTarget } from '../../../lib/cli/inspect-target.js';
import type { NativeAddon, NativeGpuRequest } from '../../../lib/native.js';
import { FakeAddon } from '../fake-addon.js';

const kPair = resolve(__dirname, '../../../models/tiny');
const kGiB = 2 ** 30;

const settingsOf = (flags: Partial<PlanFlagValues>) => {
  const settings = planSettings({ plan: true, ...flags });
  assert.ok(settings);
  return settings;
};

/** The request that comes of planning `path`. */
async function requestFor(path: string, flags: Partial<PlanFlagValues>, behaviour = {}): Promise<NativeGpuRequest> {
  const requests: NativeGpuRequest[] = [];
  const addon: NativeAddon = Object.assign(new FakeAddon(behaviour), {
    planGpuMemory: (request: NativeGpuRequest) => {
      requests.push(request);
      return { fits: true, table: 'a table' };
    },
  });
  assert.deepEqual(await planTarget(await inspectTarget(path), settingsOf(flags), addon), {
    fits: true,
    table: 'a table',
  });
  assert.equal(requests.length, 1);
  return requests[0] as NativeGpuRequest;
}

describe('the flags of --plan', () => {
  it('have defaults', () => {
    assert.deepEqual(settingsOf({}), {
      precision: 'bf16',
      kvBytes: 256 * 2 ** 20,
      gpuLimit: { bytes: 0, fraction: 0 },
      deviceBytes: null,
    });
  });

  it('take sizes, and a share of the device', () => {
    const settings = settingsOf({ 'device-memory': '24GiB', gpu: '0.5', kv: '1GiB', precision: 'fp8' });
    assert.deepEqual(settings, {
      precision: 'fp8',
      kvBytes: kGiB,
      gpuLimit: { bytes: 0, fraction: 0.5 },
      deviceBytes: 24 * kGiB,
    });
    assert.deepEqual(settingsOf({ gpu: '8GiB' }).gpuLimit, { bytes: 8 * kGiB, fraction: 0 });
    assert.deepEqual(settingsOf({ gpu: '1' }).gpuLimit, { bytes: 0, fraction: 1 });
  });

  for (const [flags, named] of [
    [{ gpu: '1.5' }, "--gpu must be a size such as 8GiB, or a share of the device over 0 and up to 1, got '1.5'"],
    [{ gpu: '0.0' }, "--gpu must be a size such as 8GiB, or a share of the device over 0 and up to 1, got '0.0'"],
    [{ gpu: 'half' }, "--gpu must be a size of at least 1 byte such as 512MiB, got 'half'"],
    [{ 'device-memory': '-1' }, "--device-memory must be a size of at least 1 byte such as 512MiB, got '-1'"],
    [{ precision: 'int8' }, "--precision must be one of bf16, fp8, got 'int8'"],
  ] satisfies [Partial<PlanFlagValues>, string][]) {
    it(`refuse ${JSON.stringify(flags)}`, () => {
      assert.throws(
        () => settingsOf(flags),
        (error) => error instanceof UsageError && error.message === named,
      );
    });
  }

  it('belong to --plan', () => {
    assert.equal(planSettings({ plan: false }), null);
    assert.throws(() => planSettings({ plan: false, kv: '1GiB' }), { message: '--kv belongs to --plan' });
  });
});

describe('--plan', () => {
  it('asks for both guards of a pair, the router with the small one', async () => {
    const request = await requestFor(kPair, { 'device-memory': '8GiB' });
    assert.deepEqual(
      request.guards.map(({ name, verdictTokens, router }) => [name, verdictTokens, router !== null]),
      [
        ['small', 2, true],
        ['large', 2, false],
      ],
    );
    assert.deepEqual([request.totalBytes, request.freeBytes], [8 * kGiB, 8 * kGiB]);
    assert.equal(request.hostBytes, 0.75 * kGiB, 'three quarters of what is available');
    assert.deepEqual(await requestFor(join(kPair, 'saferoute.json'), { 'device-memory': '8GiB' }), request);
  });

  it('asks for a guard alone', async () => {
    const request = await requestFor(join(kPair, 'small'), { 'device-memory': '8GiB' });
    assert.deepEqual(
      request.guards.map(({ name, router }) => [name, router]),
      [['guard', null]],
    );
    assert.deepEqual(await requestFor(join(kPair, 'small', 'config.json'), { 'device-memory': '8GiB' }), request);
  });

  it("is for this machine's GPU where no size is given", async () => {
    const facts = {
      name: 'A GPU',
      computeMajor: 9,
      computeMinor: 0,
      multiprocessors: 132,
      memoryBytes: 80 * kGiB,
      freeBytes: 70 * kGiB,
      driver: '13.0',
      runtime: '13.0',
      cublasLt: '13.0.2',
      fp8: true,
    };
    const request = await requestFor(kPair, {}, { cuda: { driver: true, problem: null, facts } });
    assert.deepEqual([request.totalBytes, request.freeBytes], [80 * kGiB, 70 * kGiB]);
  });

  it('says how to plan where there is no GPU', async () => {
    await assert.rejects(planTarget(await inspectTarget(kPair), settingsOf({}), new FakeAddon()), {
      code: 'ERR_UNSUPPORTED',
      message:
        'there is no GPU here to plan for (no driver was found); --device-memory 24GiB plans for one of that size',
    });
  });

  it('refuses what is neither a pair nor a guard', async () => {
    await assert.rejects(requestFor(join(kPair, 'router.safetensors'), { 'device-memory': '8GiB' }), UsageError);
  });
});
