// A sweep against what each of its thresholds does when it is applied by itself.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { escalateAbove } from '../../../lib/train/escalation-rules.js';
import { classify } from '../../../lib/train/metrics.js';
import {
  type Candidate,
  type SweptRows,
  shortestBetween,
  sweepThresholds,
} from '../../../lib/train/threshold-sweep.js';
import { seededRandom } from './seeded-random.js';
import { randomSweptRows } from './swept-rows.js';

/** What the pair says of each row when those above `threshold` are escalated. */
function routed({ ranking, kept, escalated }: SweptRows, threshold: number): { goes: Uint8Array; flags: Uint8Array } {
  const goes = escalateAbove(ranking, threshold);
  return { goes, flags: goes.map((up, row) => (up ? escalated[row] : kept[row]) as number) };
}

const hardOf = ({ labels, kept, escalated }: SweptRows) =>
  Int8Array.from(labels, (label, row) => (kept[row] !== label && escalated[row] === label ? 1 : 0));

describe('sweepThresholds', () => {
  it('says of every threshold what it does', () => {
    const random = seededRandom(1);
    for (let round = 0; round < 60; round++) {
      const rows = randomSweptRows(random, 2 + Math.floor(random() * 80), 1 + Math.floor(random() * 30));
      for (const candidate of sweepThresholds(rows)) {
        const { goes, flags } = routed(rows, candidate.threshold);
        assert.deepEqual(candidate.pair, classify(rows.labels, flags));
        assert.deepEqual(candidate.routing, classify(hardOf(rows), goes));
        const rate = goes.reduce((sum, up) => sum + up, 0) / goes.length;
        assert.deepEqual(candidate.sample, { rate, rows: goes.length, squares: null });
      }
    }
  });

  it('leaves out no set of rows that a threshold from 0 to 1 can pick', () => {
    const random = seededRandom(2);
    for (let round = 0; round < 60; round++) {
      const rows = randomSweptRows(random, 1 + Math.floor(random() * 40), 12);
      const distinct = new Set(rows.ranking);
      const candidates = sweepThresholds(rows);
      assert.equal(candidates.length, distinct.size + (distinct.has(0) ? 0 : 1));
      for (const [place, { threshold, sample }] of candidates.entries()) {
        assert.ok(threshold >= 0 && threshold <= 1);
        const before = candidates[place - 1];
        assert.ok(before === undefined || (before.threshold > threshold && before.sample.rate < sample.rate));
      }
    }
  });

  it('ends the scale at 1 where a score is 1', () => {
    const rows: SweptRows = {
      labels: Int8Array.of(1, 0),
      ranking: Float64Array.of(1, 0.25),
      kept: Uint8Array.of(0, 0),
      escalated: Uint8Array.of(1, 0),
      stratum: new Int32Array(2),
    };
    assert.deepEqual(
      sweepThresholds(rows).map(({ threshold, sample }) => [threshold, sample.rate]),
      [
        [1, 0],
        [0.6, 0.5],
        [0.1, 1],
      ],
    );
  });

  it('weighs every source the same where there are several', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 40; round++) {
      const rows = randomSweptRows(random, 30 + Math.floor(random() * 60), 20, 3);
      for (const candidate of sweepThresholds(rows)) requireBalanced(rows, candidate);
    }
  });
});

/** Recall, precision, accuracy and rate from sums of weighted rows, one row after the other. */
function requireBalanced(rows: SweptRows, { threshold, pair, sample }: Candidate): void {
  const { goes, flags } = routed(rows, threshold);
  const sizes = [0, 1, 2].map((one) => rows.stratum.filter((stratum) => stratum === one).length);
  const weights = [...rows.stratum].map((stratum) => 1 / (3 * (sizes[stratum] as number)));
  const sum = (counts: (row: number) => boolean) =>
    weights.reduce((total, weight, row) => total + (counts(row) ? weight : 0), 0);
  const right = sum((row) => flags[row] === rows.labels[row]);
  const found = sum((row) => flags[row] === 1 && rows.labels[row] === 1);
  const unsafe = sum((row) => rows.labels[row] === 1);
  const near = (actual: number | null, expected: number) =>
    assert.ok(actual !== null && Math.abs(actual - expected) < 1e-9, `${actual}, expected ${expected}`);
  near(pair.accuracy, right);
  if (unsafe > 0) near(pair.recall, found / unsafe);
  near(
    sample.rate,
    sum((row) => goes[row] === 1),
  );
  near(
    sample.squares,
    weights.reduce((total, weight) => total + weight ** 2, 0),
  );
}

describe('shortestBetween', () => {
  it('gives the shortest number that is well inside the gap', () => {
    assert.equal(shortestBetween(0, 1), 0.5);
    assert.equal(shortestBetween(0.41, 0.44), 0.42);
    assert.equal(shortestBetween(0.123456, 0.123457), 0.1234565);
  });

  it('tells apart any two numbers, neighbours among doubles too', () => {
    const random = seededRandom(5);
    for (let round = 0; round < 2000; round++) {
      const low = random() ** 8;
      const high = round % 3 === 0 ? low * (1 + 2 ** -52) : low + (1 - low) * random() ** 6;
      if (!(low < high)) continue;
      const cut = shortestBetween(low, high);
      assert.ok(cut >= low && cut < high, `${low} ${cut} ${high}`);
    }
  });
});
