/**
 * What both guards have said of labelled rows so far, on disk: a process that is killed at any byte of it loses the rows in flight and no
 * others. One header, then a record per row, all of one size, in the order in which the rows were done.
 */

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { SafeRouteError } from '../errors.js';
import { Appender } from './appender.js';

/** What a journal belongs to; with any of it changed, its readings are those of something else. */
export interface JournalKey {
  /** Digest of the data. */
  data: string;
  /** Fingerprints of the guards. */
  small: string;
  large: string;
  rows: number;
  /** Of a feature. */
  width: number;
}

/** Both guards' reading of a row. */
export interface RowReading {
  tokens: { small: number; large: number };
  small: { safe: number; unsafe: number };
  large: { safe: number; unsafe: number };
  /** The small guard's, `(width)`. */
  feature: Float32Array;
}

const kFormat = 'saferoute-journal/1';
const kHeaderBytes = 512;
/** The row's number and the tokens of both prompts, I32; small safe, small unsafe, large safe, large unsafe, F32; the feature; the checksum. */
const kIntegers = 3;
const kLogits = 4;
const kFeatureAt = 4 * (kIntegers + kLogits); // bytes
const kChecksumBytes = 8; // of the SHA-256 of what stands before it
const kChunkBytes = 1 << 20; // that are read at a time
const kNone = -1;
const kOther: Readonly<Record<keyof JournalKey, string>> = {
  data: 'other data',
  small: 'another small guard, or other settings of it',
  large: 'another large guard, or other settings of it',
  rows: 'other data',
  width: 'another small guard',
};

/** Used by one run at a time. */
export class LabelJournal {
  readonly path: string;
  readonly #key: JournalKey;
  readonly #file: FileHandle;
  readonly #appender: Appender;
  /** `(rows)`: the place of each row's record among the records; -1 where it has none. */
  readonly #places: Int32Array;
  #records: number;

  /**
   * Takes up the journal at `path` as far as its records are whole, or begins it. Throws ERR_DATA where it belongs to something else.
   */
  static async open(path: string, key: JournalKey): Promise<LabelJournal> {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT);
    try {
      if (!(await hasHeader(file, path, key))) {
        await file.truncate();
        await file.write(headerOf(key), 0, kHeaderBytes, 0);
      }
      const { places, records } = await findRecords(file, key);
      await file.truncate(kHeaderBytes + records * recordBytes(key.width));
      return new LabelJournal(path, key, file, places, records);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(path: string, key: JournalKey, file: FileHandle, places: Int32Array, records: number) {
    this.path = path;
    this.#key = key;
    this.#file = file;
    this.#places = places;
    this.#records = records;
    this.#appender = new Appender(file, kHeaderBytes + records * recordBytes(key.width));
  }

  /** How many rows have a record. */
  get records(): number {
    return this.#records;
  }

  has(row: number): boolean {
    return this.#places[row] !== kNone;
  }

  /** Resolves when the record is with the operating system: from then on a killed process does not lose it. */
  add(row: number, reading: RowReading): Promise<void> {
    this.#places[row] = this.#records++;
    return this.#appender.append(encodeRecord(row, reading));
  }

  /** In the order of the rows, those that have a record. Throws ERR_DATA where one is not what was written. */
  async *readings(): AsyncGenerator<{ row: number; reading: RowReading }, void, void> {
    const size = recordBytes(this.#key.width);
    const rows = [...this.#places.keys()].filter((row) => this.has(row));
    const atOnce = Math.max(1, Math.floor(kChunkBytes / size));
    for (let first = 0; first < rows.length; first += atOnce) {
      yield* await Promise.all(rows.slice(first, first + atOnce).map((row) => this.#read(row, size)));
    }
  }

  async #read(row: number, size: number): Promise<{ row: number; reading: RowReading }> {
    const record = Buffer.alloc(size);
    await this.#file.read(record, 0, size, kHeaderBytes + (this.#places[row] as number) * size);
    if (rowOf(record) === row) return { row, reading: decodeRecord(record) };
    throw new SafeRouteError('ERR_DATA', `${this.path}: the record of row ${row} has changed since it was written`);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Closes it, and the file is gone. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }
}

/** False for a file in which nothing is kept yet: a header comes before the first record. */
async function hasHeader(file: FileHandle, path: string, key: JournalKey): Promise<boolean> {
  const bytes = Buffer.alloc(kHeaderBytes);
  const { bytesRead } = await file.read(bytes, 0, kHeaderBytes, 0);
  const opening = Buffer.from(JSON.stringify({ format: kFormat }).slice(0, -1));
  const common = Math.min(bytesRead, opening.length);
  if (!bytes.subarray(0, common).equals(opening.subarray(0, common)))
    refuse(path, 'is there, but is no journal of labelling; move it away');
  if (bytesRead < kHeaderBytes) return false;
  const expected = headerOf(key);
  if (bytes.equals(expected)) return true;
  const found = parseHeader(bytes, path);
  const names = Object.keys(kOther) as (keyof JournalKey)[];
  const other = names.find((name) => found[name] !== key[name]) ?? refuse(path, 'has a damaged header; remove it');
  return refuse(path, `was begun with ${kOther[other]}; finish it with what it was begun with, or remove it`);
}

function parseHeader(bytes: Buffer, path: string): Partial<Record<string, unknown>> {
  try {
    return JSON.parse(bytes.toString()) as Partial<Record<string, unknown>>;
  } catch {
    return refuse(path, 'has a damaged header; remove it to begin anew');
  }
}

function headerOf({ data, small, large, rows, width }: JournalKey): Buffer {
  const header = Buffer.alloc(kHeaderBytes, ' ');
  header.write(`${JSON.stringify({ format: kFormat, data, small, large, rows, width })}\n`);
  return header;
}

/** Up to the first record that is not whole, that is of no row, or of a row that has one already. */
async function findRecords(file: FileHandle, key: JournalKey): Promise<{ places: Int32Array; records: number }> {
  const size = recordBytes(key.width);
  const places = new Int32Array(key.rows).fill(kNone);
  const chunk = Buffer.alloc(Math.max(1, Math.floor(kChunkBytes / size)) * size);
  let records = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, kHeaderBytes + records * size);
    for (let at = 0; at < bytesRead; at += size) {
      const row = at + size <= bytesRead ? rowOf(chunk.subarray(at, at + size)) : null;
      if (row === null || places[row] !== kNone) return { places, records };
      places[row] = records++;
    }
    if (bytesRead === 0) return { places, records };
  }
}

function recordBytes(width: number): number {
  return kFeatureAt + 4 * width + kChecksumBytes;
}

function encodeRecord(row: number, { tokens, small, large, feature }: RowReading): Uint8Array {
  const record = new Uint8Array(recordBytes(feature.length));
  new Int32Array(record.buffer, 0, kIntegers).set([row, tokens.small, tokens.large]);
  const logits = [small.safe, small.unsafe, large.safe, large.unsafe];
  new Float32Array(record.buffer, 4 * kIntegers, kLogits).set(logits);
  new Float32Array(record.buffer, kFeatureAt, feature.length).set(feature);
  record.set(checksumOf(record), record.length - kChecksumBytes);
  return record;
}

/** The row of a record; null where the record is not whole. */
function rowOf(record: Buffer): number | null {
  return checksumOf(record).equals(record.subarray(-kChecksumBytes)) ? record.readInt32LE(0) : null;
}

function decodeRecord(record: Buffer): RowReading {
  const { buffer } = Uint8Array.from(record.subarray(0, -kChecksumBytes));
  const [, smallTokens, largeTokens] = new Int32Array(buffer, 0, kIntegers) as unknown as [number, number, number];
  const logits = new Float32Array(buffer, 4 * kIntegers, kLogits);
  const [smallSafe, smallUnsafe, largeSafe, largeUnsafe] = logits as unknown as [number, number, number, number];
  return {
    tokens: { small: smallTokens, large: largeTokens },
    small: { safe: smallSafe, unsafe: smallUnsafe },
    large: { safe: largeSafe, unsafe: largeUnsafe },
    feature: new Float32Array(buffer, kFeatureAt),
  };
}

function checksumOf(record: Uint8Array): Buffer {
  return createHash('sha256').update(record.subarray(0, -kChecksumBytes)).digest().subarray(0, kChecksumBytes);
}

function refuse(path: string, problem: string): never {
  throw new SafeRouteError('ERR_DATA', `${path}: ${problem}`);
}
