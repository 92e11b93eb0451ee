// The promise of a rate for rows to come: kept over thousands of seeded draws, and not by promising nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atMost } from '../../../lib/train/binomial.js';
import { calibrateRows } from '../../../lib/train/calibrate-rows.js';
import {
  certifiableLimit,
  certifiedCount,
  escalationPValue,
  rateBand,
  rowsNeeded,
} from '../../../lib/train/learn-then-test.js';
import { type SweptRows, sweepThresholds } from '../../../lib/train/threshold-sweep.js';
import { seededRandom } from './seeded-random.js';
import { randomSweptRows } from './swept-rows.js';

const kDraws = 2000;
const kLimit = 0.2;
const kDelta = 0.1;

/** How an acceptance of the simulation may be wrong: less than once in a million runs, if the promise holds. */
const kChance = 1e-6;

interface Simulation {
  violations: number;
  /** Of the true rates of the thresholds chosen. */
  meanRate: number;
}

/**
 * Draws calibration rows from a population whose rates are known: source s has ranks u^(1 + s), cut to `ranks` places where there are ties.
 * `choose` picks a threshold from the rows.
 */
function simulate(
  ranks: number | null,
  sizes: number[],
  choose: (rows: SweptRows) => number,
  seed: number,
): Simulation {
  const random = seededRandom(seed);
  const placed = (u: number) => (ranks === null ? u : Math.ceil(u * ranks) / ranks);
  const rankOf = (source: number) => placed(random() ** (1 + source));
  const trueRate = (threshold: number) =>
    sizes.reduce((sum, _, source) => sum + rateAbove(threshold, source, ranks), 0) / sizes.length;
  const result = { violations: 0, meanRate: 0 };
  const stratum = Int32Array.from(sizes.flatMap((size, source) => new Array<number>(size).fill(source)));
  for (let draw = 0; draw < kDraws; draw++) {
    const plain = randomSweptRows(random, stratum.length, 10);
    const ranking = Float64Array.from(stratum, rankOf);
    const rate = trueRate(choose({ ...plain, ranking, stratum }));
    if (rate > kLimit + 1e-12) result.violations++;
    result.meanRate += rate / kDraws;
  }
  return result;
}

/** P(rank > threshold) of a source. */
function rateAbove(threshold: number, source: number, ranks: number | null): number {
  // The rank is above the threshold where u^(1 + s) is above the highest place that is not.
  const place = ranks === null ? threshold : Math.floor(threshold * ranks + 1e-9) / ranks;
  return 1 - Math.min(1, place) ** (1 / (1 + source));
}

const mostCertified = (rows: SweptRows): number => {
  const candidates = sweepThresholds(rows);
  const count = certifiedCount(
    candidates.map(({ sample }) => sample),
    kLimit,
    kDelta,
  );
  return candidates[count - 1]?.threshold ?? 1;
};

/** What a calibration without a bound would take: the most escalation that keeps to the limit on these rows. */
const mostObserved = (rows: SweptRows): number =>
  sweepThresholds(rows).findLast(({ sample }) => sample.rate <= kLimit)?.threshold ?? 1;

const calibrated = (rows: SweptRows): number =>
  calibrateRows(rows, { kind: 'escalation', atMost: kLimit }, { confidence: 1 - kDelta, latency: null }).chosen
    .threshold;

const isKept = ({ violations }: Simulation) => 1 - atMost(violations - 1, kDraws, kDelta) > kChance;

describe('a certified escalation rate', () => {
  it('is exceeded by rows to come in at most δ of the draws, whether scores are tied or not', () => {
    for (const ranks of [null, 25]) {
      const result = simulate(ranks, [150], mostCertified, 11);
      assert.ok(isKept(result), `${result.violations} of ${kDraws} draws break it`);
      assert.ok(result.meanRate > 0.65 * kLimit, `it promises little: a mean rate of ${result.meanRate}`);
    }
  });

  it('holds for the one threshold that is then chosen by F1', () => {
    assert.ok(isKept(simulate(null, [150], calibrated, 12)));
  });

  it('holds with balanced sources', () => {
    const result = simulate(null, [60, 240], mostCertified, 13);
    assert.ok(isKept(result), `${result.violations} of ${kDraws} draws break it`);
    assert.ok(result.meanRate > 0.4 * kLimit, `it promises little: a mean rate of ${result.meanRate}`);
  });

  it('is what the rate seen in the calibration rows is not', () => {
    assert.ok(!isKept(simulate(null, [150], mostObserved, 14)));
    assert.ok(!isKept(simulate(null, [60, 240], mostObserved, 15)));
  });
});

describe('limits of a rate', () => {
  const samples = [
    { rate: 0, rows: 40, squares: null },
    { rate: 0.15, rows: 200, squares: null },
    { rate: 1, rows: 7, squares: null },
    { rate: 0.15, rows: 200, squares: 1 / 120 },
  ];

  it('are where the p-value is δ', () => {
    for (const sample of samples) {
      const limit = certifiableLimit(sample, 0.05);
      if (limit === 1) continue;
      assert.ok(Math.abs(escalationPValue(sample, limit) - 0.05) < 1e-9);
      assert.equal(certifiedCount([sample], limit + 1e-9, 0.05), 1);
      assert.equal(certifiedCount([sample], limit - 1e-9, 0.05), 0);
    }
  });

  it('lie around the rate, wider with more confidence', () => {
    for (const sample of samples) {
      const [narrow, wide] = [rateBand(sample, 0.8), rateBand(sample, 0.99)];
      assert.ok(wide[0] <= narrow[0] && narrow[0] <= sample.rate);
      assert.ok(sample.rate <= narrow[1] && narrow[1] <= wide[1]);
    }
  });

  it('are certified in sequence: what comes after the first that fails does not count', () => {
    const sample = (rate: number) => ({ rate, rows: 100, squares: null });
    assert.equal(certifiedCount([sample(0), sample(0.1), sample(0.5), sample(0)], 0.2, 0.05), 2);
  });

  it('need so many rows, and not one less', () => {
    const rows = rowsNeeded(0.02, 0.05);
    assert.ok(atMost(0, rows, 0.02) <= 0.05 && atMost(0, rows - 1, 0.02) > 0.05);
  });
});
