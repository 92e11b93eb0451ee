/** From values to places on an axis, with round numbers to mark it by. */

export interface Scale {
  /** The values at both ends. */
  low: number;
  high: number;
  /** Round values from `low` to `high`. */
  ticks: readonly number[];
  /** Decimals that tell the ticks apart. */
  decimals: number;
  /** Where a value stands, in the drawing's units. */
  at(value: number): number;
}

const kSteps = [1, 2, 2.5, 5, 10] as const; // of a power of ten

/** The axis from `from` to `to` (either way round) for values from `low` to `high`, both widened to round ones; about `count` ticks. */
export function linearScale([low, high]: [number, number], [from, to]: [number, number], count: number): Scale {
  const span = high > low ? high - low : Math.abs(low) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const factor = kSteps.find((step) => step * power * count >= span * (1 - 1e-9)) as number;
  const step = factor * power;
  // Steps are counted, not added up: 0.1 + 0.2 would not be on a tick.
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)) + (factor === 2.5 ? 1 : 0);
  const tick = (index: number): number => Number((index * step).toFixed(decimals));
  const [start, end] = [tick(first), tick(last)];
  return {
    low: start,
    high: end,
    decimals,
    ticks: Array.from({ length: last - first + 1 }, (_, index) => tick(first + index)),
    at: (value) => from + ((value - start) / (end - start)) * (to - from),
  };
}
