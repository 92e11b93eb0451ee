// The two figures that samples are reduced to.

/** The middle sample, or the mean of the two middle ones. */
export function median(samples: readonly number[]): number {
  const sorted = ascending(samples);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The least sample that a share `p` (0 to 1) of all samples does not exceed. */
export function percentile(samples: readonly number[], p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must be from 0 to 1, got ${p}`);
  const sorted = ascending(samples);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] as number;
}

function ascending(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError('there are no samples');
  return [...samples].sort((a, b) => a - b);
}
