/** Small tables as `label` would make them. */

import type { LabelledTable } from '../../../lib/train/features-writer.js';

/** Ids r0, r1, …, features of `width` counting up from 0, one row hard in four; `changes` replace whole columns. */
export function labelledTable(rows: number, width = 3, changes: Partial<LabelledTable> = {}): LabelledTable {
  const column = (value: (row: number) => number) => Array.from({ length: rows }, (_, row) => value(row));
  return {
    ids: column((row) => row).map((row) => `r${row}`),
    sources: ['even', 'odd'],
    source: Int32Array.from(column((row) => row % 2)),
    group: Int32Array.from(column((row) => row)),
    label: Int8Array.from(column((row) => row % 2)),
    small: {
      dir: '/guards/small',
      fingerprint: 'small-print',
      precision: 'int8',
      safe: Float32Array.from(column((row) => (row % 4 === 0 ? -1 : row % 2 === 1 ? -2 : 2))),
      unsafe: Float32Array.from(column((row) => row / 1024)),
    },
    large: {
      dir: '/guards/large',
      fingerprint: 'large-print',
      precision: 'f32',
      safe: Float32Array.from(column((row) => (row % 2 === 1 ? -3 : 3))),
      unsafe: Float32Array.from(column((row) => row / 2048)),
    },
    tokens: {
      small: Int32Array.from(column((row) => 10 + row)),
      large: Int32Array.from(column((row) => 20 + row)),
    },
    contentFree: { safe: 0.25, unsafe: -0.5 },
    width,
    features: Float32Array.from({ length: rows * width }, (_, at) => at),
    ...changes,
  };
}
