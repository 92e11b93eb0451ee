/** The exact McNemar test of two guards on the same rows, and Holm's correction for many such tests. */

import { atMost } from './binomial.js';

/**
 * Two-sided p-value for `a` rows that only the one guard gets right and `b` that only the other does: under the null hypothesis either is as
 * likely, Binomial(a + b, ½) (McNemar 1947, in its exact form). Rows are taken as independent.
 */
export function mcnemar(a: number, b: number): number {
  return Math.min(1, 2 * atMost(Math.min(a, b), a + b, 0.5));
}

/** Adjusted p-values: below α with at most the chance α that any true null hypothesis is among those (Holm 1979). */
export function holm(pValues: readonly number[]): number[] {
  const adjusted = pValues.map(() => 1);
  const ascending = pValues.map((p, place) => ({ p, place })).sort((a, b) => a.p - b.p);
  let least = 0;
  ascending.forEach(({ p, place }, rank) => {
    least = Math.max(least, Math.min(1, p * (pValues.length - rank)));
    adjusted[place] = least;
  });
  return adjusted;
}
