/** Writes a features file, whole or not at all. */

import { writeAtomically } from '../atomic-file.js';
import { encodeSafetensorsHeader } from '../checkpoint/safetensors-header.js';
import { SafeRouteError } from '../errors.js';
import { type ColumnName, type GuardNote, kFeaturesFormat, planColumns } from './feature-columns.js';
import { type FeatureTable, type GuardColumns, isHard, kHardAt } from './feature-table.js';

/** A table that is to be written: all of it but the features is in memory. */
export interface LabelledTable extends Omit<FeatureTable, 'path' | 'rows' | 'features'> {
  /** Of a feature. */
  width: number;
  /** Row-major, `(rows, width)`; in pieces of whole rows where they come from elsewhere. */
  features: Float32Array | AsyncIterable<Float32Array>;
}

/** Throws ERR_DATA where the columns do not go together; then what was at `path` is still there. */
export async function writeFeatures(path: string, table: LabelledTable): Promise<void> {
  const rows = table.ids.length;
  requireLengths(path, table, rows);
  const ids = encodeIds(table.ids);
  const columns = planColumns({ rows, width: table.width, idBytes: ids.bytes.length });
  const header = encodeSafetensorsHeader(columns, metadataOf(table));
  const values: Record<Exclude<ColumnName, 'feature'>, ArrayBufferView> = {
    id_ends: ids.ends,
    small_logits: interleave(table.small),
    large_logits: interleave(table.large),
    source: table.source,
    group: table.group,
    small_tokens: table.tokens.small,
    large_tokens: table.tokens.large,
    label: table.label,
    hard: Int8Array.from(table.label, (_, row) => (isHard(table, row) ? 1 : 0)),
    id_bytes: ids.bytes,
  };
  await writeAtomically(path, async (write) => {
    await write(header);
    for (const { name, bytes } of columns) {
      if (name !== 'feature') await write(bytesOf(values[name]));
      else await writeFeatureColumn(path, table, bytes, write);
    }
  });
}

async function writeFeatureColumn(
  path: string,
  { features, ids, width }: LabelledTable,
  bytes: number,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  let written = 0;
  for await (const piece of features instanceof Float32Array ? [features] : features) {
    written += piece.byteLength;
    if (written > bytes) break;
    await write(bytesOf(piece));
  }
  if (written !== bytes) {
    refuse(path, `${ids.length} features of ${width} values take ${bytes} bytes; ${written} or more were given`);
  }
}

function requireLengths(path: string, table: LabelledTable, rows: number): void {
  if (rows === 0) refuse(path, 'a features file has at least one row, and there is none');
  const { source, group, label, small, large, tokens } = table;
  const columns = {
    source,
    group,
    label,
    'small.safe': small.safe,
    'small.unsafe': small.unsafe,
    'large.safe': large.safe,
    'large.unsafe': large.unsafe,
    'tokens.small': tokens.small,
    'tokens.large': tokens.large,
  };
  for (const [name, { length }] of Object.entries(columns)) {
    if (length !== rows) refuse(path, `${name} has ${length} values for ${rows} ids`);
  }
}

function metadataOf({ small, large, sources, contentFree }: LabelledTable): Record<string, string> {
  return {
    format: kFeaturesFormat,
    small: JSON.stringify(noteOf(small)),
    large: JSON.stringify(noteOf(large)),
    sources: JSON.stringify(sources),
    ...(contentFree === null ? {} : { content_free: JSON.stringify(contentFree) }),
    unsafe_at: String(kHardAt),
  };
}

function noteOf({ dir, fingerprint, precision }: GuardColumns): GuardNote {
  return { dir, fingerprint, precision };
}

/** `(rows, 2)`: safe, unsafe. */
function interleave({ safe, unsafe }: GuardColumns): Float32Array {
  return Float32Array.from({ length: 2 * safe.length }, (_, at) => (at % 2 === 0 ? safe : unsafe)[at >> 1] as number);
}

/** The ids in UTF-8 back to back, and where each ends. */
function encodeIds(ids: readonly string[]): { bytes: Uint8Array; ends: BigInt64Array } {
  const texts = ids.map((id) => Buffer.from(id));
  const ends = new BigInt64Array(ids.length);
  let end = 0;
  for (const [row, text] of texts.entries()) {
    end += text.length;
    ends[row] = BigInt(end);
  }
  return { bytes: Buffer.concat(texts), ends };
}

/** Elements as they lie in memory: every platform that the engine is built for is little-endian, as the format is. */
function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function refuse(path: string, problem: string): never {
  throw new SafeRouteError('ERR_DATA', `${path}: ${problem}`);
}
