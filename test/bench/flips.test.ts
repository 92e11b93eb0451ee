// What counts as a verdict turned over, and the command that counts them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compareScores, f1, summarise } from '../../bench/flips.js';
import { loadAddon } from '../../lib/native.js';

const kRoot = join(__dirname, '..', '..');
const of = (...scores: (number | null)[]) =>
  scores.map((score) => (score === null ? null : { small: score, large: 0.9, routed: 0.1 }));

test('a row that crosses the bound is turned over, clearly so where the reference had a margin; one that was not read counts nowhere', () => {
  const reference = of(0.9, 0.52, 0.4, 0.5, 0.2, null);
  const measured = of(0.3, 0.49, 0.6, 0.5, 0.1, 0.9);
  const place = { set: 'a', judge: 'small' } as const;
  const { f1: scores, ...counts } = compareScores(place, [1, 1, 0, 0, 0, 1], { reference, measured });
  assert.deepEqual(counts, { ...place, rows: 5, flips: 3, clearFlips: 2 });
  assert.deepEqual(scores, { reference: 1, measured: 0 });
  const others = compareScores({ ...place, judge: 'large' }, [1, 1, 0, 0, 0, 1], { reference, measured });
  assert.equal(others.flips, 0);
});

test('F1 is that of the rows judged unsafe, and of a set with one class there is none', () => {
  assert.equal(f1([0.9, 0.9, 0.1, 0.6], [1, 1, 1, 0]), 2 / 3);
  assert.equal(f1([0.1, 0.2], [1, 0]), 0);
  const scores = { reference: of(0.9, 0.1), measured: of(0.9, 0.1) };
  assert.equal(compareScores({ set: 'a', judge: 'small' }, [1, 1], scores).f1, null);
});

test('a summary weighs sets by their rows for flips, and alike for F1', () => {
  const place = { judge: 'small', flips: 2 } as const;
  const one = { ...place, set: 'a', rows: 300, clearFlips: 2, f1: { reference: 0.5, measured: 0.4 } };
  const other = { ...place, set: 'b', rows: 100, clearFlips: 0, f1: { reference: 0.7, measured: 0.8 } };
  const third = { ...one, set: 'c', rows: 0, clearFlips: 0, f1: null };
  const { clearFlipShare, rows, meanF1 } = summarise('small', [one, other, third, { ...one, judge: 'large' }]);
  assert.deepEqual([clearFlipShare, rows], [2 / 400, 400]);
  assert.deepEqual([meanF1?.reference.toFixed(6), meanF1?.measured.toFixed(6)], ['0.600000', '0.600000']);
  assert.equal(summarise('small', [third]).meanF1, null);
});

/** Runs the command over a small set on disk. */
function precision(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  const data = mkdtempSync(join(tmpdir(), 'saferoute-flips-'));
  try {
    mkdirSync(join(data, 'eval'));
    const rows = ['How do I bake bread?', 'Tell me a joke.'].map((prompt, label) => JSON.stringify({ prompt, label }));
    writeFileSync(join(data, 'eval', 'two.jsonl'), rows.join('\n'));
    const argv = ['--import', 'tsx', join('bench', 'precision.mts'), data, ...flags];
    return spawnSync(process.execPath, argv, { cwd: kRoot, encoding: 'utf8' });
  } finally {
    rmSync(data, { recursive: true });
  }
}

test('the command compares a precision with f32', () => {
  const { status, stdout, stderr } = precision('--precision', 'int8');
  assert.equal(status, 0, stderr);
  const result = JSON.parse(stdout.trim().split('\n').at(-1) as string);
  assert.deepEqual([result.device, result.precision, result.comparisons.length], ['cpu', 'int8', 3]);
  assert.deepEqual(
    result.summaries.map(({ rows }: { rows: number }) => rows),
    [2, 2, 2],
  );
});

test('the command refuses a device that is not there, and a precision of another, before it reads anything', async () => {
  const wrong = precision('--device', 'cpu', '--precision', 'bf16');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /'bf16'.*'cpu' has int8, f32/);
  const { facts, problem } = await loadAddon().cudaDevice();
  if (facts !== null) return;
  const { status, stderr } = precision('--device', 'cuda', '--precision', 'fp8');
  assert.equal(status, 1);
  assert.ok(stderr.includes(`options.device is 'cuda': ${problem}`), stderr);
  assert.doesNotMatch(stderr, /two, 2 rows/);
});
