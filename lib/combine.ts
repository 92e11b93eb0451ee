/** The score of a request that both guards have read. */

import type { NativeReading } from './native.js';
import type { Combine } from './options.js';

/** The large guard's score, or the σ of both guards' logits in the mean (the logit ensemble; logit = unsafe − safe). */
export function combinedScore(combine: Required<Combine>, small: NativeReading, large: NativeReading): number {
  if (combine.kind === 'large') return large.score;
  const { largeWeight } = combine;
  const logit = largeWeight * (large.unsafe - large.safe) + (1 - largeWeight) * (small.unsafe - small.safe);
  return 1 / (1 + Math.exp(-logit));
}
