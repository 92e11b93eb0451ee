// The file that keeps a guard's int8 weights: written by the first load, read by the next, made again where it is damaged.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { openCheckpoint, planWeightCache } from '../../lib/checkpoint/index.js';
import { readSafetensors } from '../../lib/checkpoint/safetensors.js';
import { nativeEscalation, nativeValves, settleValves } from '../../lib/escalation-plan.js';
import { kNoValves } from '../../lib/escalation-settings.js';
import type { NativeEvent, NativeGuardInfo, NativeReading, NativeWeightCache } from '../../lib/native.js';
import { scratchFolder } from '../lib/checkpoint/scratch.js';

const kRoot = resolve(__dirname, '../..');
const kGuard = join(kRoot, 'test/fixtures/checkpoints/llama-tied-f16');
const { loadAddon } = require('../../dist/native.js') as typeof import('../../lib/native.js');

const kIds = Int32Array.from({ length: 40 }, (_, index) => (index * 7) % 50);
const kPython = process.env.SAFEROUTE_REFERENCE_PYTHON;

describe('the weight cache', () => {
  it('is written once and read from then on, with the same reading to the bit', async (test) => {
    const cache = await planFor(scratchFolder(test));
    const first = await load(cache);
    assert.equal(first.info.weightCache, 'written');
    const written = readFileSync(cache.path);
    const second = await load(cache);
    assert.equal(second.info.weightCache, 'read');
    assert.deepEqual(readFileSync(cache.path), written);
    const without = await load(null);
    assert.equal(without.info.weightCache, 'none');
    assert.deepEqual(second.reading, first.reading);
    assert.deepEqual(without.reading, first.reading);
  });

  it('is made again where it is damaged', async (test) => {
    const cache = await planFor(scratchFolder(test));
    const { reading } = await load(cache);
    const sound = readFileSync(cache.path);
    const damages: [what: string, damage: () => void][] = [
      ['cut', () => truncateSync(cache.path, sound.length / 2)],
      ['empty', () => truncateSync(cache.path, 0)],
      ['another header', () => writeFileSync(cache.path, flipped(sound, cache.header.length - 20))],
      [
        'a bit of the first tensor',
        () => writeFileSync(cache.path, flipped(sound, offsetOf(cache, 'layers.0.qkv.values'))),
      ],
      [
        'a bit of the last layer',
        () => writeFileSync(cache.path, flipped(sound, offsetOf(cache, 'layers.1.down.scales'))),
      ],
      ['a bit of a checksum', () => writeFileSync(cache.path, flipped(sound, offsetOf(cache, 'checksums')))],
    ];
    for (const [what, damage] of damages) {
      damage();
      const again = await load(cache);
      assert.equal(again.info.weightCache, 'written', what);
      assert.deepEqual(again.reading, reading, what);
      assert.deepEqual(readFileSync(cache.path), sound, what);
    }
    assert.equal(readdirSync(join(cache.path, '..')).length, 1);
  });

  it('that cannot be written is a warning, and the guard reads all the same', async (test) => {
    const cache = await planFor(scratchFolder(test));
    const gone = join(cache.path, '..', 'gone', 'guard.int8.safetensors');
    const { info, reading } = await load({ ...cache, path: gone });
    assert.deepEqual(info.weightCache, { warning: `${gone}: can't be created: No such file or directory` });
    assert.deepEqual(reading, (await load(cache)).reading);
  });

  it('is one file after two loads at once', async (test) => {
    const cache = await planFor(scratchFolder(test));
    const loads = await Promise.all([load(cache), load(cache)]);
    for (const { info } of loads) assert.ok(info.weightCache === 'written' || info.weightCache === 'read');
    assert.deepEqual(loads[0]?.reading, loads[1]?.reading);
    assert.equal((await load(cache)).info.weightCache, 'read');
    assert.equal(readdirSync(join(cache.path, '..')).length, 1);
  });

  it('is a safetensors file to this package', async (test) => {
    const cache = await planFor(scratchFolder(test));
    await load(cache);
    const { tensors } = await readSafetensors(cache.path);
    assert.deepEqual([...tensors.keys()].sort(), cache.tensors.map(({ name }) => name).sort());
  });

  const skip = kPython ? false : 'SAFEROUTE_REFERENCE_PYTHON names no Python with PyTorch and transformers';
  it("holds the checkpoint's weights to Python's safetensors", { skip }, async (test) => {
    const cache = await planFor(scratchFolder(test));
    await load(cache);
    const script = join(kRoot, 'test/golden/weight_cache.py');
    const output = execFileSync(kPython as string, [script, cache.path, kGuard], { encoding: 'utf8' });
    assert.match(output, /^16 tensors are the checkpoint's/);
  });
});

async function planFor(folder: string): Promise<NativeWeightCache> {
  const plan = await planWeightCache(await openCheckpoint(kGuard), loadAddon().int8Weights(), folder);
  return plan ?? assert.fail('no plan');
}

/** Loads the guard in int8, reads one prompt, and closes it. */
async function load(weightCache: NativeWeightCache | null): Promise<{ info: NativeGuardInfo; reading: NativeReading }> {
  const { spec, files, tensors } = await openCheckpoint(kGuard);
  const guard = { spec, files, tensors, verdictIds: [1, 2], verdictUnsafe: [false, true], router: null };
  let settle: (event: NativeEvent) => void = () => {};
  const settled = new Promise<NativeEvent>((resolve) => {
    settle = resolve;
  });
  const engine = await loadAddon().loadEngine(
    {
      small: { ...guard, precision: 'int8', weightCache, kvBytes: 1 << 20 },
      large: null,
      device: 'cpu',
      gpuLimit: { bytes: 0, fraction: 0 },
      escalation: nativeEscalation({ kind: 'never' }),
      valves: nativeValves(settleValves(kNoValves, null, false)),
      unsafeAt: 0.5,
      queueRequests: 1,
      batchTokens: 64,
      batchRows: 1,
      batchMs: 250,
      maxWaitMs: 100,
      memoryLimit: 0,
      threads: 0,
    },
    ([event]) => settle(event as NativeEvent),
  );
  engine.submit('small', kIds, null, { wantFeature: true, bulk: false, deadlineMs: null });
  const event = await settled;
  const info = engine.small;
  await engine.close();
  assert.equal(event.kind, 'done');
  return { info, reading: event.small ?? assert.fail('no reading') };
}

function flipped(bytes: Buffer, place: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged.writeUInt8(damaged.readUInt8(place) ^ 0x10, place);
  return damaged;
}

function offsetOf(cache: NativeWeightCache, name: string): number {
  return cache.tensors.find((tensor) => tensor.name === name)?.offset ?? assert.fail(name);
}
