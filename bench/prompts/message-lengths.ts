// Lengths of real messages, drawn from a committed histogram. The same seed gives the same lengths.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBelow } from '../weights/random-values.js';

export interface LengthHistogram {
  source: string;
  binTokens: number;
  /** Messages with 1 to `binTokens` tokens, with `binTokens` + 1 to twice as many, and so on. `(bins)` */
  counts: number[];
}

export function messageLengths(): LengthHistogram {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'message-lengths.json'), 'utf8')) as LengthHistogram;
}

/** The tokens of one message: a bin as often as it has messages, and any length within it. */
export function drawLength({ binTokens, counts }: LengthHistogram, next: () => number): number {
  let left = randomBelow(
    next,
    counts.reduce((sum, count) => sum + count, 0),
  );
  const bin = counts.findIndex((count) => {
    left -= count;
    return left < 0;
  });
  return bin * binTokens + 1 + randomBelow(next, binTokens);
}
