/** The columns of a features file: what they are called, what they hold, and in which order they are written. */

import { elementBytes, type FileTensor } from '../checkpoint/file-tensor.js';
import type { Precision } from '../options.js';

export const kFeaturesFormat = 'saferoute-features/1';

export type ColumnName =
  | 'id_ends'
  | 'feature'
  | 'small_logits'
  | 'large_logits'
  | 'source'
  | 'group'
  | 'small_tokens'
  | 'large_tokens'
  | 'label'
  | 'hard'
  | 'id_bytes';

/** A guard in the file's metadata, as JSON. */
export interface GuardNote {
  dir: string;
  fingerprint: string;
  precision: Precision;
}

type Column = readonly [name: ColumnName, dtype: string, shape: (sizes: TableSizes) => number[]];

export interface TableSizes {
  rows: number;
  /** Of a feature. */
  width: number;
  /** UTF-8 bytes of all ids together. */
  idBytes: number;
}

/** Those of larger elements first, so that each is aligned to its own. */
const kColumns: readonly Column[] = [
  ['id_ends', 'I64', ({ rows }) => [rows]],
  ['feature', 'F32', ({ rows, width }) => [rows, width]],
  ['small_logits', 'F32', ({ rows }) => [rows, 2]],
  ['large_logits', 'F32', ({ rows }) => [rows, 2]],
  ['source', 'I32', ({ rows }) => [rows]],
  ['group', 'I32', ({ rows }) => [rows]],
  ['small_tokens', 'I32', ({ rows }) => [rows]],
  ['large_tokens', 'I32', ({ rows }) => [rows]],
  ['label', 'I8', ({ rows }) => [rows]],
  ['hard', 'I8', ({ rows }) => [rows]],
  ['id_bytes', 'U8', ({ idBytes }) => [idBytes]],
];

/** In the order of the file; offsets from the end of the header. */
export function planColumns(sizes: TableSizes): (FileTensor & { name: ColumnName })[] {
  let offset = 0;
  return kColumns.map(([name, dtype, shapeOf]) => {
    const shape = shapeOf(sizes);
    const bytes = shape.reduce((product, size) => product * size, elementBytes(dtype) as number);
    const column = { name, dtype, shape, offset, bytes };
    offset += bytes;
    return column;
  });
}
