/**
 * Calibration of the small guard's score before its entropy is taken (SafeRoute, arXiv 2502.12464, §4.1): temperature, contextual and batch.
 * It changes who is escalated, never the verdict of a row that is not.
 */

import { type AffineLogit, affineLogit } from '../entropy-calibration.js';
import { SafeRouteError } from '../errors.js';
import type { EntropyCalibration } from '../options.js';
import { requireFinite, sigmoid } from './metrics.js';

/** Newton's steps end when one is shorter than this share of 1/τ. */
const kTolerance = 1e-12;
/** Each step that Newton's method does not make good halves the bracket, so that this many reach the last digit in any case. */
const kMaxSteps = 200;

/** The log-odds of unsafe of every row, in double: what sigmoid makes the score of. */
export function logitsOf({ safe, unsafe }: { safe: Float32Array; unsafe: Float32Array }): Float64Array {
  return Float64Array.from(unsafe, (logit, row) => logit - (safe[row] as number));
}

/** `affineLogit`, but throws ERR_DATA for a prior that leaves no choice. */
export function affineOf(calibration: EntropyCalibration | null): AffineLogit {
  const affine = affineLogit(calibration);
  if (calibration === null || calibration.kind === 'temperature' || Number.isFinite(affine.shift)) return affine;
  const { prior, kind } = calibration;
  throw new SafeRouteError('ERR_DATA', `the prior of ${kind} calibration is ${prior}; it must be above 0 and below 1`);
}

/**
 * The temperature τ > 0 at which σ(z/τ) has the least negative log-likelihood (Guo et al. 2017, arXiv 1706.04599); all `(rows)`. In 1/τ the
 * loss is convex, so that its slope has one root, found here by Newton's method inside a bracket. The reference's 1000 steps of Adam from
 * 1.5 with a rate of 0.01 (its `get_ts`) approach the same minimum where it lies within their reach. Throws ERR_DATA where there is none:
 * the labels are separated without an error (τ → 0), or the scores say no more than chance (τ → ∞).
 */
export function fitTemperature(safe: Float32Array, unsafe: Float32Array, labels: Int8Array): number {
  const z = logitsOf({ safe, unsafe });
  requireFinite('logit', z);
  if (z.length === 0) throw new SafeRouteError('ERR_DATA', 'a temperature cannot be fitted: there are no rows');
  // Margins: positive where the guard is right.
  const margins = z.map((logit, row) => (labels[row] ? logit : -logit));
  if (!margins.some((margin) => margin < 0)) {
    refuseTemperature('the small guard gets no row wrong, so that any lower temperature fits better');
  }
  if (margins.reduce((sum, margin) => sum + margin, 0) <= 0) {
    refuseTemperature('its scores say no more of the labels than chance, so that any higher temperature fits better');
  }
  return 1 / rootOfSlope(margins);
}

/** P(unsafe) of the guard's answer to a message that says nothing (one space): the prior of contextual calibration. */
export function contextualPrior({ safe, unsafe }: { safe: number; unsafe: number }): number {
  return sigmoid(unsafe - safe);
}

/** Mean score over the rows, at least one: the prior of batch calibration (Zhou et al. 2023, arXiv 2309.17249). */
export function batchPrior(scores: Float32Array | Float64Array): number {
  requireFinite('score', scores);
  if (scores.length === 0) throw new SafeRouteError('ERR_DATA', 'a prior cannot be fitted: there are no rows');
  let sum = 0;
  for (const score of scores) sum += score;
  return sum / scores.length;
}

/** Where the slope of Σ log(1 + exp(−β m)) in β is 0. It grows with β, from −½ Σ m < 0 at 0 to above 0. */
function rootOfSlope(margins: Float64Array): number {
  let [low, high] = [0, 1];
  while (slopeAt(margins, high).slope < 0) [low, high] = [high, 2 * high];
  let beta = (low + high) / 2;
  for (let step = 0; step < kMaxSteps; step++) {
    const { slope, curvature } = slopeAt(margins, beta);
    if (slope < 0) low = beta;
    else high = beta;
    const newton = beta - slope / curvature;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    const done = Math.abs(next - beta) <= kTolerance * beta;
    beta = next;
    if (done) break;
  }
  return beta;
}

function slopeAt(margins: Float64Array, beta: number): { slope: number; curvature: number } {
  let [slope, curvature] = [0, 0];
  for (const margin of margins) {
    const wrong = sigmoid(-beta * margin);
    slope -= margin * wrong;
    curvature += margin * margin * wrong * (1 - wrong);
  }
  return { slope, curvature };
}

function refuseTemperature(why: string): never {
  throw new SafeRouteError('ERR_DATA', `a temperature cannot be fitted: ${why}`);
}
