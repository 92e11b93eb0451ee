/** The rows of one or several features files that a threshold is calibrated on: readings of one pair, one row of each group of variants. */

import type { RouterFile } from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import type { FeatureTable, GuardColumns } from './feature-table.js';
import { unseenRows } from './unseen-rows.js';

/** A table, and those of its rows that count. */
export interface TableRows {
  table: FeatureTable;
  /** Ascending: the first row of every group, which is the one that its variants were made from. */
  chosen: Uint32Array;
  /** How many of the others the router learnt from. */
  learnt: number;
}

/** Throws ERR_DATA where the tables are not of one pair, or share a row. */
export function requireTogether(tables: readonly FeatureTable[]): void {
  for (const table of tables) requireSamePair(tables[0] as FeatureTable, table);
  requireDistinct(tables);
}

/**
 * Variants of a row are no evidence beside it, so that only the first of each group counts; groups are of one file. Throws ERR_DATA where one
 * class only is left, or where the router, if one is given, learnt from all rows of a table: what it learnt from says nothing of what it
 * makes of rows to come.
 */
export function chooseRows(tables: readonly FeatureTable[], router: RouterFile | null = null): TableRows[] {
  const rows = tables.map((table) => {
    const unseen = requireUnseen(table, router);
    return { table, chosen: firstOfGroups(table.group, unseen), learnt: table.rows - unseen.length };
  });
  requireBothClasses(rows);
  return rows;
}

/** The values of the chosen rows, of all tables back to back. */
export function chosenOf<T extends Int8Array | Uint8Array | Int32Array | Float32Array | Float64Array>(
  rows: readonly TableRows[],
  into: { new (length: number): T },
  column: (table: FeatureTable, place: number) => ArrayLike<number>,
): T {
  const values = new into(countOf(rows));
  let at = 0;
  rows.forEach(({ table, chosen }, place) => {
    const all = column(table, place);
    for (const row of chosen) values[at++] = all[row] as number;
  });
  return values;
}

/** Chosen rows of all tables. */
export function countOf(rows: readonly TableRows[]): number {
  return rows.reduce((sum, { chosen }) => sum + chosen.length, 0);
}

/** The source of every chosen row as a number of its own, from 0 on without a gap; a source of the same name in two files is one. */
export function strataOf(rows: readonly TableRows[]): Int32Array {
  const numbers = new Map<string, number>();
  const numberOf = (source: string): number => {
    const number = numbers.get(source) ?? numbers.size;
    numbers.set(source, number);
    return number;
  };
  const strata = new Int32Array(countOf(rows));
  let at = 0;
  for (const { table, chosen } of rows) {
    for (const row of chosen) strata[at++] = numberOf(table.sources[table.source[row] as number] as string);
  }
  return strata;
}

function requireUnseen(table: FeatureTable, router: RouterFile | null): Int32Array {
  const rows = unseenRows(table, [router]);
  if (rows.length > 0) return rows;
  return refuse(`${table.path}: ${router?.path} learnt from all of its rows; calibrate on rows that it has not seen`);
}

/** `rows` are ascending. */
function firstOfGroups(group: Int32Array, rows: Int32Array): Uint32Array {
  const seen = new Set<number>();
  const firsts: number[] = [];
  for (const row of rows) {
    const one = group[row] as number;
    if (!seen.has(one)) firsts.push(row);
    seen.add(one);
  }
  return Uint32Array.from(firsts);
}

/** Throws ERR_DATA where the other table was read by other guards. */
export function requireSamePair(first: FeatureTable, { path, small, large, features }: FeatureTable): void {
  const requireSame = (name: string, one: GuardColumns, other: GuardColumns) => {
    if (one.fingerprint === other.fingerprint) return;
    refuse(`${path}: the ${name} guard (${other.dir}) is not the one that ${first.path} was read by (${one.dir})`);
  };
  requireSame('small', first.small, small);
  requireSame('large', first.large, large);
  const { width } = first.features;
  if (features.width !== width) refuse(`${path}: features are ${features.width} wide, those of ${first.path} ${width}`);
}

function requireDistinct(tables: readonly FeatureTable[]): void {
  const owners = new Map<string, string>();
  for (const { path, ids } of tables) {
    for (const id of ids) {
      const owner = owners.get(id);
      if (owner !== undefined) refuse(`${path}: the row '${id}' is in ${owner} too; each row may count once`);
      owners.set(id, path);
    }
  }
}

function requireBothClasses(rows: readonly TableRows[]): void {
  const labels = chosenOf(rows, Int8Array, ({ label }) => label);
  const unsafe = labels.reduce((sum, label) => sum + label, 0);
  if (unsafe > 0 && unsafe < labels.length) return;
  const paths = rows.map(({ table }) => table.path).join(', ');
  refuse(`${paths}: all ${labels.length} rows are ${unsafe > 0 ? 'unsafe' : 'safe'}; a calibration needs both classes`);
}

function refuse(problem: string): never {
  throw new SafeRouteError('ERR_DATA', problem);
}
