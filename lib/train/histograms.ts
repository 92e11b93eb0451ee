/** Scores and hardness per bin: what a report draws of how a guard and a router spread their rows. */

import type { Histogram, ReliabilityBin } from './evaluation.js';

const kHistogramBins = 20;
const kReliabilityBins = 10;

/** One histogram per class: `names[0]` of the rows whose class is 0, `names[1]` of those whose class is 1. `(rows)` each. */
export function histograms(
  values: ArrayLike<number>,
  classes: ArrayLike<number>,
  names: readonly [string, string],
): Histogram[] {
  return names.map((name, wanted) => {
    const counts = new Array<number>(kHistogramBins).fill(0);
    for (let row = 0; row < values.length; row++) {
      if (classes[row] !== wanted) continue;
      const bin = binOf(values[row] as number, kHistogramBins);
      counts[bin] = (counts[bin] as number) + 1;
    }
    return { name, counts };
  });
}

/** Equal bins of the score; those without rows are left out. `(rows)` each. */
export function reliability(scores: ArrayLike<number>, labels: ArrayLike<number>): ReliabilityBin[] {
  const bins = Array.from({ length: kReliabilityBins }, () => ({ score: 0, unsafe: 0, rows: 0 }));
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row] as number;
    const bin = bins[binOf(score, kReliabilityBins)] as ReliabilityBin;
    bin.score += score;
    bin.unsafe += labels[row] as number;
    bin.rows += 1;
  }
  return bins
    .filter(({ rows }) => rows > 0)
    .map(({ score, unsafe, rows }) => ({ score: score / rows, unsafe: unsafe / rows, rows }));
}

/** 1 belongs to the last bin. */
function binOf(value: number, bins: number): number {
  return Math.min(bins - 1, Math.floor(value * bins));
}
