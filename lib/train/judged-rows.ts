/** What both guards and the routers say of every row of a set, in the forms that rules, figures and curves are computed from. */

import { SafeRouteError } from '../errors.js';
import { type FeatureTable, type GuardColumns, scoreOf } from './feature-table.js';

/** `(rows)` each. */
export interface GuardRows {
  /** Logit of unsafe minus logit of safe. */
  margins: Float64Array;
  /** P(unsafe). */
  scores: Float64Array;
  /** 1: the score is above `unsafeAt`. */
  flags: Uint8Array;
}

/** `(rows)` each. */
export interface JudgedRows {
  /** 1: unsafe. */
  labels: Int8Array;
  small: GuardRows;
  large: GuardRows;
  /** What escalating the row gains: 1 where only the large guard is right, −1 where only the small one is, else 0. */
  gain: Int8Array;
  /** 1 where the gain is: the paper's t. */
  hard: Uint8Array;
  /** null without that router. */
  hardness: Float32Array | null;
  benefit: Float32Array | null;
}

/** A score above `unsafeAt` is unsafe. Throws ERR_NOT_FINITE where a router gives no hardness for a row. */
export function judgeRows(
  table: Pick<FeatureTable, 'path' | 'ids' | 'label' | 'small' | 'large'>,
  unsafeAt: number,
  routers: { hardness: Float32Array | null; benefit: Float32Array | null },
): JudgedRows {
  const [small, large] = [guardRows(table.small, unsafeAt), guardRows(table.large, unsafeAt)];
  const right = (flags: Uint8Array, row: number): number => (flags[row] === table.label[row] ? 1 : 0);
  const gain = Int8Array.from(table.label, (_, row) => right(large.flags, row) - right(small.flags, row));
  for (const [name, values] of Object.entries(routers)) requireFinite(table, name, values);
  return {
    labels: table.label,
    small,
    large,
    gain,
    hard: Uint8Array.from(gain, (one) => (one > 0 ? 1 : 0)),
    ...routers,
  };
}

function guardRows(columns: GuardColumns, unsafeAt: number): GuardRows {
  const margins = Float64Array.from(columns.unsafe, (unsafe, row) => unsafe - (columns.safe[row] as number));
  const scores = margins.map((_, row) => scoreOf(columns, row));
  return { margins, scores, flags: flagsOf(scores, unsafeAt) };
}

/** 1: the score is above `unsafeAt`. `(rows)` */
export function flagsOf(scores: ArrayLike<number>, unsafeAt: number): Uint8Array {
  return Uint8Array.from(scores, (score) => (score > unsafeAt ? 1 : 0));
}

function requireFinite(
  { path, ids }: Pick<FeatureTable, 'path' | 'ids'>,
  name: string,
  values: Float32Array | null,
): void {
  const row = values?.findIndex((value) => !Number.isFinite(value)) ?? -1;
  if (row < 0) return;
  throw new SafeRouteError('ERR_NOT_FINITE', `${path}: the ${name} of row ${row} ('${ids[row]}') is ${values?.[row]}`);
}
