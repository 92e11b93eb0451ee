/** What a calibration of entropy makes of the small guard's score: one formula, for the rule in the engine and for evaluations. */

import type { EntropyCalibration } from './options.js';

/** The calibrated score is σ(scale·z + shift), z the logit of the score. */
export interface AffineLogit {
  scale: number;
  shift: number;
}

/**
 * Temperature scaling is z/τ (Guo et al. 2017, arXiv 1706.04599). Contextual calibration (Zhao et al. 2021, arXiv 2102.09690: W = diag(1/π),
 * b = 0) and batch calibration (Zhou et al. 2023, arXiv 2309.17249) divide each class's probability by its prior and normalise: z − logit(π).
 * null leaves the score as it is. A prior of 0 or 1 gives an infinite shift.
 */
export function affineLogit(calibration: EntropyCalibration | null): AffineLogit {
  if (calibration === null) return { scale: 1, shift: 0 };
  if (calibration.kind === 'temperature') return { scale: 1 / calibration.temperature, shift: 0 };
  return { scale: 1, shift: Math.log1p(-calibration.prior) - Math.log(calibration.prior) };
}
