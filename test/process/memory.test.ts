// Load and close leave nothing behind: a hundred rounds may grow the process by five per cent after the tenth.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { writeFeatures } from '../../lib/train/features-writer.js';
import { scratchFile } from '../lib/checkpoint/scratch.js';
import { learnableTable } from '../lib/train/learnable-table.js';
import { outputOf } from './run-child.js';

const kGrowth = 1.05;

async function expectSteady(test: TestContext, what: string, files: string[] = []) {
  const { 10: tenth, 100: last } = JSON.parse(await outputOf('rounds', [what, ...files]));
  test.diagnostic(`resident after 10 rounds: ${tenth} bytes, after 100: ${last}`);
  assert.ok(last <= tenth * kGrowth, `${tenth} bytes became ${last}`);
}

describe('a hundred rounds of load, work and close', () => {
  it('leave nothing of a native engine', (test) => expectSteady(test, 'engines'));

  it('leave nothing of a pair', (test) => expectSteady(test, 'pairs'));

  it('leave nothing of a training', async (test) => {
    const features = scratchFile(test, 'features.safetensors', '');
    await writeFeatures(features, learnableTable(300));
    await expectSteady(test, 'trainings', [features, features.replace('features', 'router')]);
  });
});
