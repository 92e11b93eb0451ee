// Generated checkpoints, opened by this package itself.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { checkpointDirectory } from '../../bench/weights/checkpoint.js';
import { routerFile } from '../../bench/weights/router-file.js';
import type { GuardShape } from '../../bench/weights/shapes.js';
import { kHeadTokens, kTailTokens, wordsText } from '../../bench/weights/template.js';
import { SafeRoute } from '../../lib/index.js';

const kVocabSize = 24_000; // all words that are one token, and the verdict words
const kShape: GuardShape = {
  name: 'generated-tiny',
  architecture: 'qwen3',
  layers: 2,
  hiddenSize: 64,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediateSize: 96,
  vocabSize: kVocabSize,
  tiedHead: true,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: null,
};

let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'saferoute-checkpoint-'));
  process.env.SAFEROUTE_BENCH_CACHE = directory;
});
after(() => {
  delete process.env.SAFEROUTE_BENCH_CACHE;
  rmSync(directory, { recursive: true });
});

test('a guard and a router are generated once, load, and judge; a message of N words has N tokens', async () => {
  const dir = checkpointDirectory(kShape);
  const router = routerFile(kShape.hiddenSize);
  assert.equal(checkpointDirectory(kShape), dir);
  assert.deepEqual(readdirSync(dirname(dir)), ['generated-tiny']);
  await using sr = await SafeRoute.load({ small: dir, large: null, router });
  for (const words of [1, 64]) {
    const ids = await sr.small.encode(wordsText(words, 5000));
    assert.equal(ids.length, kHeadTokens + words + kTailTokens);
  }
  const verdict = await sr.check(wordsText(64, 5000));
  assert.ok(verdict.score > 0 && verdict.score < 1);
  assert.ok(verdict.hardness !== null && verdict.hardness > 0 && verdict.hardness < 1);
});

test('no two matrices of a generated guard are equal, so that a library can keep none of them once for several', () => {
  const file = readFileSync(join(checkpointDirectory(kShape), 'model.safetensors'));
  const data = 8 + Number(file.readBigUInt64LE());
  const entries: [string, { shape: number[]; data_offsets: [number, number] }][] = Object.entries(
    JSON.parse(file.toString('utf8', 8, data)),
  );
  const matrices = entries.filter(([, { shape }]) => shape.length === 2);
  const contents = matrices.map(([, { data_offsets: at }]) =>
    file.toString('latin1', data + at[0], data + at[0] + kShape.hiddenSize * 2),
  );
  assert.ok(matrices.length > 7 * kShape.layers);
  assert.equal(new Set(contents).size, matrices.length);
});
