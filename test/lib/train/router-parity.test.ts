/** Routers go both ways between PyTorch and this package: what is trained here loads there under its own names, and says the same. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { openRouter } from '../../../lib/checkpoint/index.js';
import { readSafetensors } from '../../../lib/checkpoint/safetensors.js';
import { openFeatures } from '../../../lib/train/features-reader.js';
import { writeFeatures } from '../../../lib/train/features-writer.js';
import { hardnessOf } from '../../../lib/train/hardness.js';
import { train } from '../../../lib/train/train.js';
import { kFixtures, scratchFolder } from '../checkpoint/scratch.js';
import { readGolden } from '../golden.js';
import { coded } from '../rejected.js';
import { labelledTable } from './labelled-tables.js';
import { learnableTable } from './learnable-table.js';

const kTolerance = 1e-5;
const kPython = process.env.SAFEROUTE_REFERENCE_PYTHON;
const kSkip = kPython ? false : 'SAFEROUTE_REFERENCE_PYTHON names no Python with PyTorch';

describe('routers that were trained here', { skip: kSkip }, () => {
  for (const [recipe, kind] of [
    ['official', 'official'],
    ['dynaguard', 'card'],
    ['benefit', 'official'],
  ] as const) {
    it(`load in PyTorch with every name of the ${kind} network and say the same: ${recipe}`, async (test) => {
      const folder = scratchFolder(test);
      const [features, router, out] = ['features', 'router', 'out'].map((name) => join(folder, `${name}.safetensors`));
      await writeFeatures(features as string, learnableTable(400, 20));
      await train(features as string, { output: router as string, recipe, epochs: 6, validShare: 0.3 });
      const script = join(__dirname, '../../golden/load_router.py');
      const files = [router, features, out] as string[];
      await promisify(execFile)(kPython as string, [script, kind, '20', ...files]);
      const table = await openFeatures(features as string);
      const ours = await hardnessOf(table, await openRouter(router as string));
      holdClose(ours, await floats(out as string, 'hardness'));
      assert.ok(Math.max(...ours) - Math.min(...ours) > 0.1, 'the router says the same of every row');
    });
  }
});

describe('hardnessOf', () => {
  for (const [name, width] of [
    ['llama-untied-f32', 48],
    ['qwen3-tied-bf16', 64],
  ] as const) {
    for (const kind of ['official', 'card'] as const) {
      it(`gives PyTorch's hardness of whole files with PyTorch's ${kind} router: ${name}`, async (test) => {
        const { rows } = await readGolden(join(kFixtures, 'checkpoints', `${name}.golden.safetensors`));
        const path = join(scratchFolder(test), 'features.safetensors');
        const features = Float32Array.from(rows.flatMap(({ feature }) => [...feature]));
        await writeFeatures(path, labelledTable(rows.length, width, { features }));
        const router = await openRouter(join(kFixtures, 'routers', `${kind}-${width}.safetensors`));
        const hardness = await hardnessOf(await openFeatures(path), router);
        holdClose(
          hardness,
          rows.map((row) => row.hardness[kind]),
        );
      });
    }
  }

  it('refuses features of another width, naming both', async (test) => {
    const path = join(scratchFolder(test), 'features.safetensors');
    await writeFeatures(path, labelledTable(3, 5));
    const router = await openRouter(join(kFixtures, 'routers/card-48.safetensors'));
    await assert.rejects(
      hardnessOf(await openFeatures(path), router),
      coded('ERR_CHECKPOINT', `${router.path}: the router reads 48 values, but the features of ${path} are 5 wide`),
    );
  });

  it('gives no hardness of a feature that is not finite', async (test) => {
    const path = join(scratchFolder(test), 'features.safetensors');
    const features = new Float32Array(9 * 48).fill(0.5);
    features[7 * 48 + 11] = Number.NaN;
    await writeFeatures(path, labelledTable(9, 48, { features }));
    for (const kind of ['official', 'card']) {
      const router = await openRouter(join(kFixtures, `routers/${kind}-48.safetensors`));
      await assert.rejects(hardnessOf(await openFeatures(path), router), coded('ERR_NOT_FINITE', path, /row 7 /));
    }
  });
});

function holdClose(ours: Float32Array, theirs: ArrayLike<number>): void {
  assert.equal(ours.length, theirs.length);
  const worst = ours.reduce((most, value, row) => Math.max(most, Math.abs(value - (theirs[row] as number))), 0);
  assert.ok(worst <= kTolerance, `off by ${worst}`);
}

async function floats(path: string, name: string): Promise<Float32Array> {
  const { offset, bytes } = (await readSafetensors(path)).tensors.get(name) ?? assert.fail(`${path} has no ${name}`);
  return new Float32Array(new Uint8Array(readFileSync(path).subarray(offset, offset + bytes)).buffer);
}
