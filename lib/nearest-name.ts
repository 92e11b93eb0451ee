/** Finds the name that someone probably meant, for errors about unknown options and keys. */

import { describe } from './errors.js';

/** The closest of `known` by edit distance, or null where none is close. */
function nearestName(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase().slice(0, 40), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** "'x' is not one of …; did you mean 'y'?" */
export function unknownName(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const hint = near === null ? '' : `; did you mean '${near}'?`;
  return `${describe(name)} is not known (known: ${known.join(', ')})${hint}`;
}

/** Levenshtein distance, one row of the table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
