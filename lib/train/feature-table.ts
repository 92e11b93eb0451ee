/**
 * A features file: a safetensors file with a column for each thing that is known of every labelled row. What both guards said of it, what
 * the router reads of it, and the label.
 */

import type { Precision } from '../options.js';

/** The score above which a guard calls a row unsafe when it is decided which rows are hard. */
export const kHardAt = 0.5;

/** Both logits of one guard, `(rows)`. */
export interface GuardColumns {
  /** Directory that the guard was loaded from. */
  dir: string;
  /** Changes with everything that the guard's readings are made of. */
  fingerprint: string;
  /** Of weights and activations. */
  precision: Precision;
  safe: Float32Array;
  unsafe: Float32Array;
}

/** Where the features lie: F32, row-major, `(rows, width)`. */
export interface FeatureMatrix {
  path: string;
  /** Bytes from the start of the file. */
  offset: number;
  rows: number;
  width: number;
}

export interface FeatureTable {
  path: string;
  rows: number;
  /** `(rows)`, no two the same. */
  ids: readonly string[];
  /** Distinct values of the rows' `source`; '' where a row names none. */
  sources: readonly string[];
  /** `(rows)`, places in `sources`. */
  source: Int32Array;
  /** `(rows)`; rows with the same number are variants of one row and never on both sides of a split. */
  group: Int32Array;
  /** `(rows)`, 1: unsafe. */
  label: Int8Array;
  small: GuardColumns;
  large: GuardColumns;
  /** `(rows)`, tokens of each guard's prompt. */
  tokens: { small: Int32Array; large: Int32Array };
  /** The small guard's logits for a message of one space, where its template takes one: the prior of contextual calibration. */
  contentFree: { safe: number; unsafe: number } | null;
  features: FeatureMatrix;
}

/** P(unsafe) of a row: the softmax over its two logits. */
export function scoreOf({ safe, unsafe }: Pick<GuardColumns, 'safe' | 'unsafe'>, row: number): number {
  return 1 / (1 + Math.exp((safe[row] as number) - (unsafe[row] as number)));
}

/** The paper's t: the small guard gets the row wrong and the large one right, unsafe above 0.5 (SafeRoute, arXiv 2502.12464, §3.2). */
export function isHard({ label, small, large }: Pick<FeatureTable, 'label' | 'small' | 'large'>, row: number): boolean {
  const unsafe = label[row] === 1;
  return scoreOf(small, row) > kHardAt !== unsafe && scoreOf(large, row) > kHardAt === unsafe;
}
