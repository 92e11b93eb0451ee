/** Rows that a rule only just escalates or only just keeps, by id: what a person looks at to see what a threshold does. */

import type { BoundaryRow } from './evaluation.js';
import type { FeatureTable } from './feature-table.js';
import type { JudgedRows } from './judged-rows.js';

const kBoundaryRows = 20;

/** The rows whose place in the ranking, `(rows)`, is nearest to the threshold, nearest first; the earlier row where two are as near. */
export function boundaryRows(
  { ids, sources, source }: Pick<FeatureTable, 'ids' | 'sources' | 'source'>,
  rows: JudgedRows,
  ranking: Float64Array,
  threshold: number,
): BoundaryRow[] {
  const distances = ranking.map((value) => Math.abs(value - threshold));
  const order = Uint32Array.from(ranking, (_, row) => row).sort(
    (a, b) => (distances[a] as number) - (distances[b] as number) || a - b,
  );
  return Array.from(order.subarray(0, kBoundaryRows), (row) => ({
    id: ids[row] as string,
    source: sources[source[row] as number] as string,
    label: rows.labels[row] === 1 ? 'unsafe' : 'safe',
    small: rows.small.scores[row] as number,
    large: rows.large.scores[row] as number,
    hardness: rows.hardness?.[row] ?? null,
  }));
}
