/** Opens a features file: every column but the features comes into memory, and each value is held against what it may be. */

import { resolve } from 'node:path';
import type { FileTensor } from '../checkpoint/file-tensor.js';
import { quoted, refuse, refuseUnsupported, shown } from '../checkpoint/refusal.js';
import { readSafetensors, type SafetensorsFile } from '../checkpoint/safetensors.js';
import { type SourceFile, withSourceFile } from '../checkpoint/source-file.js';
import { decodeUtf8, isJsonObject } from '../checkpoint/strict-json.js';
import { SafeRouteError } from '../errors.js';
import { kPrecisions } from '../validate-options.js';
import { type ColumnName, type GuardNote, kFeaturesFormat } from './feature-columns.js';
import { type FeatureTable, type GuardColumns, isHard, kHardAt } from './feature-table.js';

type Integers = Record<string, (bytes: ArrayBuffer) => ArrayLike<number | bigint>>;

const kIntegers: Integers = {
  I8: (bytes) => new Int8Array(bytes),
  U8: (bytes) => new Uint8Array(bytes),
  I16: (bytes) => new Int16Array(bytes),
  U16: (bytes) => new Uint16Array(bytes),
  I32: (bytes) => new Int32Array(bytes),
  U32: (bytes) => new Uint32Array(bytes),
  I64: (bytes) => new BigInt64Array(bytes),
};
const kInt32 = [-(2 ** 31), 2 ** 31 - 1] as const;

/**
 * Throws ERR_CHECKPOINT for a file that is broken or contradicts itself, ERR_UNSUPPORTED for another version of the format, and
 * ERR_NOT_FINITE naming column and row where a logit is not finite.
 */
export async function openFeatures(file: string): Promise<FeatureTable> {
  const path = resolve(file);
  const opened = await readSafetensors(path);
  const notes = readNotes(opened);
  return withSourceFile(path, async (source) => {
    const columns = new Columns(opened, source);
    const { offset, shape } = columns.find('feature', ['F32'], 2);
    const [rows = 0, width = 0] = shape;
    if (rows === 0 || width === 0) refuse(path, `column 'feature' has the shape [${shape}], no values`);
    if (offset % Float32Array.BYTES_PER_ELEMENT !== 0)
      refuse(path, `column 'feature' begins at byte ${offset}, not a multiple of ${Float32Array.BYTES_PER_ELEMENT}`);
    const table: FeatureTable = {
      path,
      rows,
      ids: await columns.ids(rows),
      sources: notes.sources,
      source: await columns.integers('source', rows, 0, notes.sources.length - 1),
      group: await columns.integers('group', rows, ...kInt32),
      label: Int8Array.from(await columns.integers('label', rows, 0, 1)),
      small: { ...notes.small, ...(await columns.logits('small_logits', rows)) },
      large: { ...notes.large, ...(await columns.logits('large_logits', rows)) },
      tokens: {
        small: await columns.integers('small_tokens', rows, 0, kInt32[1]),
        large: await columns.integers('large_tokens', rows, 0, kInt32[1]),
      },
      contentFree: notes.contentFree,
      features: { path, offset, rows, width },
    };
    requireHard(table, await columns.integers('hard', rows, 0, 1));
    return table;
  });
}

/** The columns of one file that is open. */
class Columns {
  readonly #file: SafetensorsFile;
  readonly #source: SourceFile;

  constructor(file: SafetensorsFile, source: SourceFile) {
    this.#file = file;
    this.#source = source;
  }

  find(name: ColumnName, dtypes: readonly string[], rank: number): FileTensor {
    const tensor = this.#file.tensors.get(name) ?? refuse(this.#file.path, `has no column '${name}'`);
    const { dtype, shape } = tensor;
    if (!dtypes.includes(dtype)) refuse(this.#file.path, `column '${name}' is ${dtype}, not ${dtypes.join(', ')}`);
    if (shape.length !== rank) refuse(this.#file.path, `column '${name}' has the shape [${shape}], not ${rank} axes`);
    return tensor;
  }

  /** `(rows)`, each from `least` to `most`. */
  async integers(name: ColumnName, rows: number, least: number, most: number): Promise<Int32Array> {
    const values = await this.#wholeNumbers(name, rows);
    const result = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      const value = Number(values[row]);
      if (!(value >= least && value <= most)) {
        refuse(this.#file.path, `column '${name}' has ${values[row]} in row ${row}; it may be ${least} to ${most}`);
      }
      result[row] = value;
    }
    return result;
  }

  /** A `(rows, 2)` column as two of `(rows)`. */
  async logits(name: ColumnName, rows: number): Promise<Pick<GuardColumns, 'safe' | 'unsafe'>> {
    const tensor = this.#sized(this.find(name, ['F32'], 2), [rows, 2]);
    const values = new Float32Array(await this.#bytes(tensor));
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new SafeRouteError(
        'ERR_NOT_FINITE',
        `${this.#file.path}: column '${name}' has ${values[bad]} in row ${bad >> 1} (${bad % 2 === 0 ? 'safe' : 'unsafe'})`,
      );
    }
    const half = (first: number) => Float32Array.from({ length: rows }, (_, row) => values[2 * row + first] as number);
    return { safe: half(0), unsafe: half(1) };
  }

  async ids(rows: number): Promise<string[]> {
    const { path } = this.#file;
    const bytes = new Uint8Array(await this.#bytes(this.find('id_bytes', ['U8'], 1)));
    const ends = await this.#wholeNumbers('id_ends', rows);
    const seen = new Map<string, number>();
    let begin = 0;
    for (let row = 0; row < rows; row++) {
      const end = Number(ends[row]);
      if (!(end >= begin && end <= bytes.length))
        refuse(path, `column 'id_ends' has ${ends[row]} in row ${row}; it may be ${begin} to ${bytes.length}`);
      const id = decodeUtf8(bytes.subarray(begin, end), path, `the id of row ${row}`);
      const first = seen.get(id);
      if (first !== undefined) refuse(path, `rows ${first} and ${row} have the same id ${quoted(id)}`);
      seen.set(id, row);
      begin = end;
    }
    if (begin !== bytes.length)
      refuse(path, `column 'id_bytes' has ${bytes.length} bytes, the last id ends at ${begin}`);
    return [...seen.keys()];
  }

  async #wholeNumbers(name: ColumnName, rows: number): Promise<ArrayLike<number | bigint>> {
    const tensor = this.#sized(this.find(name, Object.keys(kIntegers), 1), [rows]);
    return (kIntegers[tensor.dtype] as Integers[string])(await this.#bytes(tensor));
  }

  #sized(tensor: FileTensor, shape: readonly number[]): FileTensor {
    if (tensor.shape.some((size, axis) => size !== shape[axis]))
      refuse(this.#file.path, `column '${tensor.name}' has the shape [${tensor.shape}]; 'feature' makes it [${shape}]`);
    return tensor;
  }

  /** In memory of their own, aligned for any element. */
  async #bytes({ name, offset, bytes }: FileTensor): Promise<ArrayBuffer> {
    return Uint8Array.from(await this.#source.read(offset, bytes, `column '${name}'`)).buffer;
  }
}

interface Notes {
  small: GuardNote;
  large: GuardNote;
  sources: string[];
  contentFree: FeatureTable['contentFree'];
}

function readNotes({ path, metadata }: SafetensorsFile): Notes {
  const format = metadata.get('format') ?? null;
  if (format !== kFeaturesFormat) {
    if (format?.startsWith('saferoute-features/'))
      refuseUnsupported(path, `has the format ${quoted(format)}; this build reads '${kFeaturesFormat}'`);
    refuse(path, `is no features file: its metadata names the format ${shown(format)}, not '${kFeaturesFormat}'`);
  }
  const unsafeAt = metadata.get('unsafe_at');
  if (Number(unsafeAt) !== kHardAt)
    refuseUnsupported(path, `its rows are hard by scores above ${shown(unsafeAt)}; this build takes ${kHardAt}`);
  const parsed = (key: string): unknown => {
    const text = metadata.get(key);
    if (text === undefined) return null;
    try {
      return JSON.parse(text);
    } catch (cause) {
      return refuse(path, `metadata ${quoted(key)} is not JSON: ${(cause as Error).message}`, cause);
    }
  };
  const sources = parsed('sources');
  if (!Array.isArray(sources) || !sources.every((source) => typeof source === 'string'))
    return refuse(path, `metadata 'sources' is ${shown(sources)}, not a list of names`);
  return {
    small: guardNote(path, 'small', parsed('small')),
    large: guardNote(path, 'large', parsed('large')),
    sources,
    contentFree: contentFree(path, parsed('content_free')),
  };
}

function guardNote(path: string, key: string, value: unknown): GuardNote {
  const { dir, fingerprint, precision } = isJsonObject(value) ? value : {};
  const known = kPrecisions.find((name) => name === precision);
  if (typeof dir === 'string' && typeof fingerprint === 'string' && known !== undefined)
    return { dir, fingerprint, precision: known };
  return refuse(path, `metadata '${key}' is ${shown(value)}; it must name dir, fingerprint and precision of the guard`);
}

function contentFree(path: string, value: unknown): Notes['contentFree'] {
  if (value === null) return null;
  const { safe, unsafe } = isJsonObject(value) ? value : {};
  if (typeof safe === 'number' && typeof unsafe === 'number' && Number.isFinite(safe) && Number.isFinite(unsafe))
    return { safe, unsafe };
  return refuse(path, `metadata 'content_free' is ${shown(value)}; it must hold the logits safe and unsafe`);
}

/** The column is there for readers that compute nothing; it must say what the logits and labels say. */
function requireHard(table: FeatureTable, hard: Int32Array): void {
  const row = hard.findIndex((value, at) => value !== (isHard(table, at) ? 1 : 0));
  if (row < 0) return;
  refuse(
    table.path,
    `column 'hard' has ${hard[row]} in row ${row} (${quoted(table.ids[row] as string)}); its label and logits say otherwise`,
  );
}
