/** The rows of a table that routers have not learnt from: what a router makes of those that it was fitted to says nothing of rows to come. */

import type { RouterFile } from '../checkpoint/index.js';
import type { FeatureTable, GuardColumns } from './feature-table.js';
import { splitRows } from './split.js';
import { digestOf } from './table-digest.js';

/** What a table says of rows, without their features. */
export type RowColumns = Omit<FeatureTable, 'features'>;

/** Ascending. All rows where none of the routers says that it learnt from this very table. */
export function unseenRows(table: FeatureTable, routers: readonly (Pick<RouterFile, 'split'> | null)[]): Int32Array {
  const splits = routers.flatMap((router) => router?.split ?? []);
  if (splits.length === 0) return Int32Array.from(table.label.keys());
  const digest = digestOf(table);
  const kept = splits.filter((split) => split.digest === digest).map((split) => new Set(splitRows(table, split).valid));
  return Int32Array.from([...table.label.keys()].filter((row) => kept.every((rows) => rows.has(row))));
}

/** The columns of these rows alone, in their order. */
export function pickRows(table: RowColumns, rows: Int32Array): RowColumns {
  const guard = (columns: GuardColumns) => ({
    ...columns,
    safe: pick(columns.safe, rows),
    unsafe: pick(columns.unsafe, rows),
  });
  return {
    ...table,
    rows: rows.length,
    ids: Array.from(rows, (row) => table.ids[row] as string),
    source: pick(table.source, rows),
    group: pick(table.group, rows),
    label: pick(table.label, rows),
    small: guard(table.small),
    large: guard(table.large),
    tokens: { small: pick(table.tokens.small, rows), large: pick(table.tokens.large, rows) },
  };
}

/** `(rows.length)` */
export function pick<T extends Int8Array | Int32Array | Float32Array>(values: T, rows: Int32Array): T {
  const picked = values.slice(0, rows.length) as T;
  for (const [place, row] of rows.entries()) picked[place] = values[row] as number;
  return picked;
}
