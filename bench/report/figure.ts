// The result of one contender at one point of a case: what the table, the JSON file and the charts are made of.
import { median, percentile } from '../statistics.js';

export type Unit = 'ms' | 's' | 'checks/s' | 'GOP/s' | 'MiB' | '×';

export interface Figure {
  case: string;
  /** Which variant of the case: a length, a batch, a rate. */
  point: string;
  contender: string;
  unit: Unit;
  median: number;
  /** The slow end: the 95th percentile of times, the 5th of rates. */
  p95: number;
  samples: number;
  /** Ours divided by this contender's, medians; null where there is nothing of ours beside it. */
  ratio: number | null;
  /** Of the machine's GEMM peak, counting only what this contender had to compute; null where no GEMM is behind it. */
  share: number | null;
  /** Where a figure is from that this run did not measure: no sample of it was taken here. null: it was measured. */
  quoted: string | null;
}

type Place = Pick<Figure, 'case' | 'point' | 'contender' | 'unit'>;

export function isRate(unit: Unit): boolean {
  return unit === 'checks/s' || unit === 'GOP/s';
}

export function isTime(unit: Unit): boolean {
  return unit === 'ms' || unit === 's';
}

/** A figure without what needs others: ratio and share. */
export function summarise(place: Place, samples: readonly number[]): Figure {
  const slowEnd = isRate(place.unit) ? 0.05 : 0.95;
  return {
    ...place,
    median: median(samples),
    p95: percentile(samples, slowEnd),
    samples: samples.length,
    ratio: null,
    share: null,
    quoted: null,
  };
}

/** A figure of others, from `source`. It is put in relation to nothing: machine and method are not those of this run. */
export function quoted(place: Place, value: number, source: string): Figure {
  return { ...place, median: value, p95: value, samples: 0, ratio: null, share: null, quoted: source };
}
