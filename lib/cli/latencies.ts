/** Percentiles of any number of latencies in bounded memory: buckets 2 % wide, so a percentile is right to 1 %. */

const kBucket = Math.log(1.02);

export class Latencies {
  readonly #buckets = new Map<number, number>();
  #total = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, 1e-3)) / kBucket);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1);
    this.#total += 1;
  }

  /** Milliseconds that the share `p` (0 to 1) of all latencies stays within; NaN where there are none. */
  percentile(p: number): number {
    let left = Math.ceil(p * this.#total);
    for (const [bucket, count] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.exp((bucket + 0.5) * kBucket);
    }
    return Number.NaN;
  }
}
