import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Checkpoint, type Int8Recipe, openCheckpoint, planWeightCache } from '../../../lib/checkpoint/index.js';
import { readSafetensors } from '../../../lib/checkpoint/safetensors.js';
import type { NativeWeightCache } from '../../../lib/native.js';
import { kTinyShapes, writeGuard } from './guard-writer.js';
import { assertRefused } from './refused.js';
import { scratchFile, scratchFolder } from './scratch.js';

const kRecipe: Int8Recipe = { bits: 8, recipe: 1 };

async function plan(checkpoint: Checkpoint, folder: string, recipe = kRecipe): Promise<NativeWeightCache> {
  return (await planWeightCache(checkpoint, recipe, folder)) ?? assert.fail('no plan');
}

describe('the plan of a weight cache', () => {
  it('is a safetensors file, each tensor aligned to its elements', async (test) => {
    const checkpoint = await openCheckpoint(writeGuard(test));
    const { path, header, tensors, fileBytes } = await plan(checkpoint, scratchFolder(test));
    writeFileSync(path, Buffer.concat([header, Buffer.alloc(fileBytes - header.length)]));
    const file = await readSafetensors(path);
    assert.equal(header.length % 8, 0);
    assert.equal(file.tensors.size, tensors.length);
    for (const { file: index, ...tensor } of tensors) {
      assert.equal(index, 0);
      assert.deepEqual(file.tensors.get(tensor.name), tensor);
      const elements = tensor.shape.reduce((product, size) => product * size, 1);
      assert.equal(tensor.offset % (tensor.bytes / elements), 0, tensor.name);
    }
  });

  it('has four matrices per layer with their scales, and a checksum of each', async (test) => {
    const checkpoint = await openCheckpoint(writeGuard(test));
    const { tensors } = await plan(checkpoint, scratchFolder(test));
    assert.deepEqual(
      tensors.map(({ name, dtype, shape }) => [name, dtype, shape]),
      [
        ['layers.0.qkv.values', 'I8', [8, 24]],
        ['layers.0.qkv.scales', 'F32', [24]],
        ['layers.0.output.values', 'I8', [12, 8]],
        ['layers.0.output.scales', 'F32', [8]],
        ['layers.0.gate_up.values', 'I8', [8, 20]],
        ['layers.0.gate_up.scales', 'F32', [20]],
        ['layers.0.down.values', 'I8', [10, 8]],
        ['layers.0.down.scales', 'F32', [8]],
        ['checksums', 'I64', [8]],
      ],
    );
  });

  it('says in its header what it was made from', async (test) => {
    const checkpoint = await openCheckpoint(writeGuard(test));
    const { header } = await plan(checkpoint, scratchFolder(test), { bits: 7, recipe: 3 });
    const { key, ...metadata } = JSON.parse(Buffer.from(header).toString('utf8', 8)).__metadata__;
    assert.deepEqual(metadata, { format: 'saferoute-int8', source: checkpoint.directory, bits: '7', recipe: '3' });
    assert.match(key, /^[0-9a-f]{64}$/);
  });
});

describe('the name of a weight cache', () => {
  it("is the guard's and the same every time", async (test) => {
    const directory = writeGuard(test);
    const folder = scratchFolder(test);
    const { path, header } = await plan(await openCheckpoint(directory), folder);
    assert.match(path.slice(folder.length + 1), /^saferoute-[A-Za-z0-9]+-[0-9a-f]{16}\.int8\.safetensors$/);
    assert.deepEqual(await plan(await openCheckpoint(directory), folder).then((again) => [again.path, again.header]), [
      path,
      header,
    ]);
  });

  it('changes with all that the weights are made from', async (test) => {
    const directory = writeGuard(test);
    const folder = scratchFolder(test);
    const weights = join(directory, 'model.safetensors');
    const seen = new Set<string>();
    const expectNew = async (what: string, recipe = kRecipe, change: Partial<Checkpoint> = {}) => {
      const { path, header } = await plan({ ...(await openCheckpoint(directory)), ...change }, folder, recipe);
      const key = JSON.parse(Buffer.from(header).toString('utf8', 8)).__metadata__.key;
      assert.ok(!seen.has(path) && !seen.has(key), what);
      seen.add(path).add(key);
    };
    const { spec, tensors } = await openCheckpoint(directory);
    await expectNew('nothing seen yet');
    await expectNew('the bits', { bits: 7, recipe: 1 });
    await expectNew('the recipe', { bits: 8, recipe: 2 });
    await expectNew('a switch of the shape', kRecipe, { spec: { ...spec, qkNorm: true } });
    await expectNew('where a tensor lies', kRecipe, { tensors: [...tensors].reverse() });
    utimesSync(weights, 1e9, 1e9);
    await expectNew('the time of the last change');
    copyFileSync(weights, `${weights}.copy`);
    utimesSync(`${weights}.copy`, 1e9, 1e9);
    renameSync(`${weights}.copy`, weights);
    await expectNew('another file of the same size and time');
  });

  it('has no sign that a file system or a shell minds', async (test) => {
    const checkpoint = await openCheckpoint(writeGuard(test));
    const names = { '/models/…': 'guard', '/': 'guard', '/a/.hidden guard: (v1.0)\n': 'hidden_guard_v1.0_' };
    for (const [directory, name] of Object.entries({ ...names, [`/${'x'.repeat(300)}`]: 'x'.repeat(80) })) {
      const { path } = await plan({ ...checkpoint, directory }, scratchFolder(test));
      assert.equal(basename(path).replace(/-[0-9a-f]{16}\.int8\.safetensors$/, ''), name);
    }
  });
});

describe('the directory of weight caches', () => {
  it('is made where it is missing', async (test) => {
    const folder = join(scratchFolder(test), 'a', 'b');
    await plan(await openCheckpoint(writeGuard(test)), folder);
    assert.ok(statSync(folder).isDirectory());
  });

  it('is not asked for where the caller wants none', async (test) => {
    assert.equal(await planWeightCache(await openCheckpoint(writeGuard(test)), kRecipe, null), null);
  });

  it('gets small weights only where it was named', async (test) => {
    const folder = scratchFolder(test);
    setEnvironment(test, { SAFEROUTE_CACHE_DIR: undefined, XDG_CACHE_HOME: folder });
    const small = await openCheckpoint(writeGuard(test));
    assert.equal(await planWeightCache(small, kRecipe, undefined), null);
    assert.deepEqual(readdirSync(folder), []);
    const large = { ...small, spec: { ...small.spec, hiddenSize: 4096, intermediateSize: 8192 } };
    const { path } = (await planWeightCache(large, kRecipe, undefined)) ?? assert.fail('no plan');
    assert.equal(join(path, '..'), join(folder, 'saferoute'));
    assert.equal(statSync(join(folder, 'saferoute')).mode & 0o777, 0o700);
    await plan(small, join(folder, 'named'));
  });

  it('that cannot be made is a warning, not an error', async (test) => {
    const file = scratchFile(test, 'file', '');
    const warned = new Promise<NodeJS.ErrnoException>((resolve) => process.once('warning', resolve));
    const checkpoint = await openCheckpoint(writeGuard(test));
    assert.equal(await planWeightCache(checkpoint, kRecipe, join(file, 'below')), null);
    const { name, code, message } = await warned;
    assert.deepEqual([name, code], ['SafeRouteWarning', 'SAFEROUTE_CACHE']);
    assert.match(message, /^converted weights are not kept for the next load: ENOTDIR.*file/);
  });
});

it('a checkpoint whose file has gone meanwhile is refused', async (test) => {
  const directory = writeGuard(test, kTinyShapes);
  const checkpoint = await openCheckpoint(directory);
  rmSync(join(directory, 'model.safetensors'));
  const folder = scratchFolder(test);
  await assertRefused(planWeightCache(checkpoint, kRecipe, folder), 'ERR_CHECKPOINT', /cannot be examined \(ENOENT\)/);
});

/** For the time of one test; undefined removes a variable. */
function setEnvironment(test: TestContext, variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    test.after(() => assign(name, before));
    assign(name, value);
  }
}

function assign(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
