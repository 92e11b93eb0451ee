import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Int8Recipe, openCheckpoint, planWeightCache } from '../../../lib/checkpoint/index.js';
import { removeSuperseded } from '../../../lib/checkpoint/superseded-caches.js';
import { writeGuard } from './guard-writer.js';
import { scratchFolder } from './scratch.js';

/** Writes the cache file of `guard` as it is now, and gives its path. */
async function converted(guard: string, folder: string, recipe: Int8Recipe = { bits: 8, recipe: 1 }): Promise<string> {
  const plan = (await planWeightCache(await openCheckpoint(guard), recipe, folder)) ?? assert.fail('no plan');
  writeFileSync(plan.path, Buffer.concat([plan.header, Buffer.alloc(plan.fileBytes - plan.header.length)]));
  return plan.path;
}

/** The guard's files become others, as far as a cache can tell. */
function change(guard: string, seconds: number): void {
  const weights = readdirSync(guard).find((name) => name.endsWith('.safetensors')) ?? assert.fail('no weights');
  utimesSync(join(guard, weights), seconds, seconds);
}

function places(test: TestContext) {
  return { guard: writeGuard(test), folder: scratchFolder(test) };
}

describe('superseded files of converted weights', () => {
  it('are removed when those of the changed checkpoint were written', async (test) => {
    const { guard, folder } = places(test);
    const old = await converted(guard, folder);
    change(guard, 1);
    const fresh = await converted(guard, folder);
    assert.notEqual(fresh, old);
    assert.deepEqual(await removeSuperseded({ path: fresh }), [old]);
    assert.deepEqual([existsSync(old), existsSync(fresh)], [false, true]);
  });

  it('are those of an older recipe too, never of a newer one or of other bits', async (test) => {
    const { guard, folder } = places(test);
    const old = await converted(guard, folder, { bits: 8, recipe: 1 });
    const newer = await converted(guard, folder, { bits: 8, recipe: 3 });
    const coarser = await converted(guard, folder, { bits: 7, recipe: 1 });
    const fresh = await converted(guard, folder, { bits: 8, recipe: 2 });
    assert.deepEqual(await removeSuperseded({ path: fresh }), [old]);
    for (const kept of [newer, coarser, fresh]) assert.ok(existsSync(kept), kept);
  });

  it('are none of another guard, and nothing that is no such file', async (test) => {
    const { guard, folder } = places(test);
    const other = await converted(writeGuard(test), folder);
    writeFileSync(join(folder, 'strange.int8.safetensors'), 'not one');
    mkdirSync(join(folder, 'folder.int8.safetensors'));
    const fresh = await converted(guard, folder);
    const before = readdirSync(folder).sort();
    assert.deepEqual(await removeSuperseded({ path: fresh }), []);
    assert.deepEqual(readdirSync(folder).sort(), before);
    assert.ok(existsSync(other));
  });

  it('are left where the file that takes their place is not there', async (test) => {
    const { guard, folder } = places(test);
    const old = await converted(guard, folder);
    assert.deepEqual(await removeSuperseded({ path: join(folder, 'gone.int8.safetensors') }), []);
    assert.ok(existsSync(old));
  });
});
