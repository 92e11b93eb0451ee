/**
 * A bound on the escalation rate that holds for rows to come, from a finite calibration set: Learn then Test (Angelopoulos et al. 2021, arXiv
 * 2110.01052), as Calibrate-Then-Delegate (arXiv 2604.14251) puts it to the rate of delegation.
 *
 * It assumes that the calibration rows and the rows to come are exchangeable: drawn alike and independently, with balanced sources within
 * each source. Variants of one row are not independent; one row of each group may count. The promise is of the draw of the calibration
 * rows: P(rate to come > limit) ≤ δ. It says nothing of traffic that drifts, or of someone who writes messages to be escalated.
 */

import { atMost, clopperPearson, upperLimit } from './binomial.js';

/** Rows that a threshold escalates, of those that it was tried on. */
export interface RateSample {
  /** Share that it escalates; weighted, where the rows have weights. */
  rate: number;
  /** Independent rows. */
  rows: number;
  /** Σ w² of the rows' weights, which sum to 1; null where all weigh the same. */
  squares: number | null;
}

/**
 * p-value of the hypothesis that the rate to come is above `limit`: the exact binomial tail P(Bin(n, limit) ≤ k); with weights Hoeffding's
 * bound exp(−2 (limit − rate)² / Σ w²).
 */
export function escalationPValue(sample: RateSample, limit: number): number {
  const { rate, rows, squares } = sample;
  if (squares === null) return atMost(countOf(sample), rows, limit);
  return rate < limit ? Math.exp((-2 * (limit - rate) ** 2) / squares) : 1;
}

/**
 * Fixed-sequence testing: how many of the thresholds, from the strictest on, are certified to escalate at most `limit`, at level `delta`. The
 * first that fails ends it, so that every certified one holds at once, without a correction for their number.
 *
 * The sequence need not be fixed in advance of the data here, so that every gap between the scores may be a threshold: the rate, its sample
 * and so the p-value only grow as the threshold falls, and a wrong certificate therefore needs the one p-value at the true rate's last
 * allowed threshold to be at most δ, whatever the grid.
 */
export function certifiedCount(samples: Iterable<RateSample>, limit: number, delta: number): number {
  let count = 0;
  for (const sample of samples) {
    if (escalationPValue(sample, limit) > delta) break;
    count++;
  }
  return count;
}

/** The least limit that the sample certifies at level `delta`: a one-sided upper confidence limit of the rate to come. */
export function certifiableLimit(sample: RateSample, delta: number): number {
  if (sample.squares === null) return upperLimit(countOf(sample), sample.rows, delta);
  return Math.min(1, sample.rate + hoeffdingMargin(sample.squares, delta));
}

/**
 * Two-sided limits of the rate to come: Clopper and Pearson's, or Hoeffding's with weights. Of a threshold that was picked for its place in
 * the ranking they hold exactly; of one picked by labels of the same rows (F1, recall, gain) they hold nearly.
 */
export function rateBand(sample: RateSample, confidence: number): [number, number] {
  if (sample.squares === null) return clopperPearson(countOf(sample), sample.rows, confidence);
  const margin = hoeffdingMargin(sample.squares, (1 - confidence) / 2);
  return [Math.max(0, sample.rate - margin), Math.min(1, sample.rate + margin)];
}

/** Rows that are needed before even a threshold that escalates none of them certifies `limit`: (1 − limit)ⁿ ≤ δ. */
export function rowsNeeded(limit: number, delta: number): number {
  return Math.ceil(Math.log(delta) / Math.log1p(-limit));
}

function hoeffdingMargin(squares: number, delta: number): number {
  return Math.sqrt((Math.log(1 / delta) * squares) / 2);
}

function countOf({ rate, rows }: RateSample): number {
  return Math.round(rate * rows);
}
