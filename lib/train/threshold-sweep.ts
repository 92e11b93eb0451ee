/**
 * Every threshold that tells some rows from others, from the strictest on, and what the pair would make of the rows under each.
 */

import type { Confusion } from './evaluation.js';
import type { RateSample } from './learn-then-test.js';
import { cellOf, type FlagFigures, figuresOf } from './metrics.js';

/** `(rows)` each. */
export interface SweptRows {
  /** 1: unsafe. */
  labels: Int8Array;
  /** From 0 to 1; a row is escalated where it is strictly above the threshold. */
  ranking: Float64Array;
  /** 1: unsafe, as long as the small guard's word stands, … */
  kept: Uint8Array;
  /** … and once the row is escalated. */
  escalated: Uint8Array;
  /** The source that each row counts for, or 0 in all. Every source weighs as much as any other, and has a row at least. */
  stratum: Int32Array;
}

export interface Candidate {
  threshold: number;
  sample: RateSample;
  /** Of the pair against the labels. Counts are rows, scaled where sources are balanced. */
  pair: FlagFigures;
  /** Of picking the rows that escalation puts right. */
  routing: FlagFigures;
}

/** Candidates in the order of falling thresholds; the first escalates nobody. */
export function sweepThresholds(rows: SweptRows): Candidate[] {
  const { labels, ranking, kept, escalated, stratum } = rows;
  const order = Uint32Array.from(ranking, (_, row) => row).sort(
    (a, b) => (ranking[b] as number) - (ranking[a] as number),
  );
  const [pair, routing] = [new StratifiedCounts(stratum), new StratifiedCounts(stratum)];
  const hard = (row: number) => (kept[row] !== labels[row] && escalated[row] === labels[row] ? 1 : 0);
  labels.forEach((label, row) => {
    pair.add(row, cellOf(label, kept[row] as number), 1);
    routing.add(row, cellOf(hard(row), 0), 1);
  });
  const first = ranking[order[0] as number] as number;
  const candidates = [candidate(first < 1 ? shortestBetween(first, 1) : 1, pair, routing)];
  order.forEach((row, place) => {
    const label = labels[row] as number;
    pair.add(row, cellOf(label, kept[row] as number), -1);
    pair.add(row, cellOf(label, escalated[row] as number), 1);
    routing.add(row, cellOf(hard(row), 0), -1);
    routing.add(row, cellOf(hard(row), 1), 1);
    const next = order[place + 1];
    const [low, high] = [next === undefined ? 0 : (ranking[next] as number), ranking[row] as number];
    // No threshold from 0 on is below a rank of 0.
    if (low < high) candidates.push(candidate(shortestBetween(low, high), pair, routing));
  });
  return candidates;
}

/** A number with as few decimals as tell `low`, which is not above it, from `high`, which is: well inside the gap, where a reading may waver. */
export function shortestBetween(low: number, high: number): number {
  const [middle, margin] = [(low + high) / 2, (high - low) / 4];
  for (let decimals = 1; decimals <= 20; decimals++) {
    const number = Number(middle.toFixed(decimals));
    if (number >= low + margin && number <= high - margin && number < high) return number;
  }
  return low;
}

/** Figures of flags against labels, weighted as the candidates' are. `(rows)` each. */
export function stratifiedFigures(labels: Int8Array, flags: Uint8Array, stratum: Int32Array): FlagFigures {
  const counts = new StratifiedCounts(stratum);
  labels.forEach((label, row) => {
    counts.add(row, cellOf(label, flags[row] as number), 1);
  });
  return figuresOf(counts.confusion());
}

function candidate(threshold: number, pair: StratifiedCounts, routing: StratifiedCounts): Candidate {
  const { rows, squares } = routing;
  const picked = figuresOf(routing.confusion());
  const rate = (picked.confusion.tp + picked.confusion.fp) / rows;
  return { threshold, sample: { rate, rows, squares }, pair: figuresOf(pair.confusion()), routing: picked };
}

/** A confusion counted per stratum, in whole numbers, and weighted when it is read, so that nothing drifts. */
class StratifiedCounts {
  readonly rows: number;
  /** Σ w² of the rows' weights, w adding up to 1; null for one stratum. */
  readonly squares: number | null;
  /** What a row of each stratum counts; the rows' mean is 1. */
  readonly #weights: number[];
  readonly #counts: Confusion[];
  readonly #stratum: Int32Array;

  constructor(stratum: Int32Array) {
    this.#stratum = stratum;
    const sizes: number[] = [];
    for (const one of stratum) sizes[one] = (sizes[one] ?? 0) + 1;
    this.rows = stratum.length;
    this.squares = sizes.length === 1 ? null : sizes.reduce((sum, size) => sum + 1 / (sizes.length ** 2 * size), 0);
    this.#weights = sizes.map((size) => this.rows / (sizes.length * size));
    this.#counts = sizes.map(() => ({ tp: 0, fp: 0, tn: 0, fn: 0 }));
  }

  add(row: number, cell: keyof Confusion, count: number): void {
    (this.#counts[this.#stratum[row] as number] as Confusion)[cell] += count;
  }

  confusion(): Confusion {
    const sum = (cell: keyof Confusion) =>
      this.#counts.reduce((total, counts, one) => total + counts[cell] * (this.#weights[one] as number), 0);
    return { tp: sum('tp'), fp: sum('fp'), tn: sum('tn'), fn: sum('fn') };
  }
}
