// `saferoute calibrate` as people run it: a process of its own, the real router over the features, saferoute.json and exit codes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openPair, openRouter } from '../../lib/checkpoint/index.js';
import { openFeatures } from '../../lib/train/features-reader.js';
import { writeFeatures } from '../../lib/train/features-writer.js';
import { hardnessOf } from '../../lib/train/hardness.js';
import { kFixtures, scratchFolder } from '../lib/checkpoint/scratch.js';
import { labelledTable } from '../lib/train/labelled-tables.js';
import { seededRandom } from '../lib/train/seeded-random.js';

const kMain = resolve(__dirname, '../../dist/cli/main.js');
const kRouter = join(kFixtures, 'routers', 'official-48.safetensors');
const kRows = 400;
const kWidth = 48;

function run(args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [kMain, 'calibrate', ...args], { encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

/** Features that the fixture's router tells apart, and guards that both err now and then. */
async function features(test: TestContext): Promise<{ folder: string; path: string }> {
  const folder = scratchFolder(test);
  const path = join(folder, 'features.safetensors');
  const random = seededRandom(31);
  const label = Int8Array.from({ length: kRows }, () => (random() < 0.4 ? 1 : 0));
  const guard = (name: string, errs: number) => ({
    dir: join(folder, name),
    fingerprint: name,
    precision: 'int8' as const,
    safe: new Float32Array(kRows),
    unsafe: Float32Array.from(label, (one) => (2 * one - 1) * (random() < errs ? -1 : 1) * (0.1 + random())),
  });
  const values = Float32Array.from({ length: kRows * kWidth }, () => 2 * random() - 1);
  const table = { label, small: guard('small', 0.3), large: guard('large', 0.05), features: values };
  await writeFeatures(path, labelledTable(kRows, kWidth, table));
  return { folder, path };
}

describe('saferoute calibrate', () => {
  it('makes a saferoute.json whose threshold does what the table says', async (test) => {
    const { folder, path } = await features(test);
    copyFileSync(kRouter, join(folder, 'router.safetensors'));
    const args = ['--router', join(folder, 'router.safetensors'), '--pair', folder, '--target', 'escalation:0.3', path];
    const table = run(args);
    assert.deepEqual([table.code, table.stderr], [0, '']);
    assert.match(table.stdout, /^router > 0\.\d+ {2}for escalation at most 0\.3, from 400 rows/);
    const pair = await openPair(folder);
    assert.deepEqual([pair.small, pair.router], [join(folder, 'small'), join(folder, 'router.safetensors')]);
    const { escalation, calibrated } = pair;
    assert.ok(escalation?.kind === 'router' && calibrated);
    const hardness = await hardnessOf(await openFeatures(path), await openRouter(kRouter));
    const above = hardness.filter((one) => one > (escalation.threshold as number)).length;
    assert.equal(calibrated.rate, above / kRows);

    // Again as JSON, now by the pair's own router: the same threshold, and the file is the same to the last byte.
    const before = readFileSync(join(folder, 'saferoute.json'), 'utf8');
    const again = run(['--pair', folder, '--target', 'escalation:0.3', '--json', path]);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(JSON.parse(again.stdout).escalation, escalation);
    assert.equal(readFileSync(join(folder, 'saferoute.json'), 'utf8'), before);
  });

  it('says what can be had instead, and writes nothing', async (test) => {
    const { folder, path } = await features(test);
    const { code, stdout, stderr } = run(['--pair', folder, '--target', 'recall:1', '--rule', 'entropy', path]);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^saferoute: ERR_DATA: recall at least 1 cannot be had; the best is 0\.\d+, at threshold/);
    assert.throws(() => readFileSync(join(folder, 'saferoute.json')), /ENOENT/);
  });

  it('takes the latency that an evaluation measured, and refuses what is none', async (test) => {
    const { folder, path } = await features(test);
    const evaluation = join(folder, 'evaluation.json');
    writeFileSync(evaluation, '{"format": "saferoute-evaluation/1"');
    const target = ['--target', 'latency:20ms', '--rule', 'entropy', path];
    const damaged = run(['--evaluation', evaluation, ...target]);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stderr, /ERR_DATA: .*evaluation\.json/);
    const given = run(['--latency', '4:40', ...target]);
    assert.equal(given.code, 0, given.stderr);
    assert.match(given.stdout, /for latency at most 20 ms/);
  });

  it('knows a command line that makes no sense', () => {
    const { code, stderr } = run(['--target', 'best', 'x']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^saferoute: usage: --target must be one of f1, recall, escalation, latency, gain, got 'best'/,
    );
    assert.equal(run(['--help']).code, 0);
  });
});
