// F1 from escalating nothing to everything: ends, ties, and against a plain count of every rate.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { areaUnder, f1Curve, kCurveSteps, type RankedFlags } from '../../../lib/train/curves.js';
import { seededRandom } from './seeded-random.js';

/** As many rows as there are steps, so that every rate is a whole number of rows. */
function rankedFlags(seed: number, ranks: (random: () => number, row: number) => number): RankedFlags {
  const random = seededRandom(seed);
  const flags = (share: number) => Uint8Array.from({ length: kCurveSteps }, () => (random() < share ? 1 : 0));
  return {
    labels: Int8Array.from(flags(0.4)),
    kept: flags(0.5),
    escalated: flags(0.45),
    ranking: Float64Array.from({ length: kCurveSteps }, (_, row) => ranks(random, row)),
  };
}

function f1Of(labels: Int8Array, flags: Uint8Array): number {
  const both = labels.reduce((sum, label, row) => sum + label * (flags[row] as number), 0);
  const each = labels.reduce((sum, label, row) => sum + label + (flags[row] as number), 0);
  return (2 * both) / each;
}

const near = (actual: number | null | undefined, expected: number) =>
  assert.ok(typeof actual === 'number' && Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

describe('the F1 curve', () => {
  it('is F1 of the rows that the ranking puts first, counted rate by rate', () => {
    const rows = rankedFlags(1, (random) => random());
    const order = Array.from(rows.ranking.keys()).sort((a, b) => Number(rows.ranking[b]) - Number(rows.ranking[a]));
    f1Curve(rows).forEach((f1, step) => {
      const up = new Set(order.slice(0, step));
      const flags = rows.kept.map((flag, row) => (up.has(row) ? (rows.escalated[row] as number) : flag));
      near(f1, f1Of(rows.labels, flags));
    });
  });

  it('is the same in whatever order the rows stand, ties or none', () => {
    const rows = rankedFlags(2, (random) => Math.floor(random() * 5));
    const turned: RankedFlags = {
      labels: rows.labels.toReversed(),
      kept: rows.kept.toReversed(),
      escalated: rows.escalated.toReversed(),
      ranking: rows.ranking.toReversed(),
    };
    const curve = f1Curve(rows);
    for (const [step, f1] of f1Curve(turned).entries()) near(f1, curve[step] as number);
  });

  it('begins at the small guard and ends at the large one, whatever the ranking', () => {
    for (const ranking of [() => 1, (random: () => number) => random(), (_: unknown, row: number) => -row]) {
      const rows = rankedFlags(3, ranking);
      const curve = f1Curve(rows);
      assert.equal(curve.length, kCurveSteps + 1);
      near(curve[0], f1Of(rows.labels, rows.kept));
      near(curve[kCurveSteps], f1Of(rows.labels, rows.escalated));
    }
  });

  it('of one row goes from one guard to the other by chance', () => {
    const one = { labels: [1], kept: [0], escalated: [1], ranking: [0.3] };
    const curve = f1Curve({
      labels: Int8Array.from(one.labels),
      kept: Uint8Array.from(one.kept),
      escalated: Uint8Array.from(one.escalated),
      ranking: Float64Array.from(one.ranking),
    });
    // Expected counts: tp = rate, of one unsafe row.
    near(curve[25], (2 * 0.25) / 1.25);
  });

  it('has no value where nothing is unsafe and nothing is called so', () => {
    const rows = rankedFlags(4, () => 0);
    const curve = f1Curve({ ...rows, labels: rows.labels.map(() => 0), kept: rows.kept.map(() => 0) });
    assert.equal(curve[0], null);
    assert.equal(curve[1], 0);
    assert.equal(areaUnder(curve), null);
  });
});

describe('the area under a curve', () => {
  it('is that of trapezoids over equal steps', () => near(areaUnder([0, 1, 0.5]), (0.5 + 0.75) / 2));
});
