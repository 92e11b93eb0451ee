/**
 * Labelled data: one or several files of JSON lines, streamed. They are surveyed whole before any guard runs, so that hours of work do not
 * end at a missing label, and read again for the guards; what is kept of them in memory is a few numbers and an id per row.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SafeRouteError } from '../errors.js';
import { kLineBytes, readLines } from '../lines.js';
import { DataProblems } from './data-problems.js';
import { type ParsedLine, parseLine } from './labelled-row.js';

export interface PlacedLine {
  /** Among all lines that are not blank, of all files, from 0. */
  row: number;
  /** As it was named. */
  file: string;
  /** `<file>:<line>` */
  place: string;
  /** Of the line. */
  bytes: number;
  line: ParsedLine;
}

/** What the survey found. `(rows)` each; a row that was refused for its length counts as safe, without source. */
export interface Survey {
  rows: number;
  ids: string[];
  unsafe: Uint8Array;
  sources: string[];
  /** Places in `sources`. */
  source: Int32Array;
  group: Int32Array;
  /** SHA-256 of the files' names and contents, in hex. */
  digest: string;
  /** Rows with a label of each kind. */
  labels: { safe: number; unsafe: number };
}

const kSourcesLimit = 4096; // distinct ones
const kPieceBytes = 1 << 20; // of a file at a time

/**
 * Every line that is not blank, in order. Returns the digest of what was read. Rejects with ERR_DATA where a file can't be read twice: it
 * must be a regular file.
 */
export async function* readLabelledRows(
  files: readonly string[],
  inputBytes: number,
): AsyncGenerator<PlacedLine, string, void> {
  const all = createHash('sha256');
  let row = 0;
  for (const file of files) {
    await requireRegular(file);
    const content = createHash('sha256');
    for await (const line of readLines(
      hashed(createReadStream(file, { highWaterMark: kPieceBytes }), content),
      kLineBytes,
    )) {
      const place = `${file}:${line.number}`;
      const parsed = parseLine(line, place, inputBytes);
      if (parsed !== null) yield { row: row++, file, place, bytes: line.bytes, line: parsed };
    }
    all.update(`${JSON.stringify(file)} ${content.digest('hex')}\n`);
  }
  return all.digest('hex');
}

/** Reads all of the data. Throws ERR_DATA with the first problems, a line each, and the number of the others. */
export async function surveyRows(
  files: readonly string[],
  inputBytes: number,
  onRow: (row: number) => void,
): Promise<Survey> {
  const rows = new RowIndex();
  const lines = readLabelledRows(files, inputBytes);
  for (;;) {
    const next = await lines.next();
    if (next.done) return rows.finish(files, next.value);
    rows.add(next.value);
    onRow(next.value.row);
  }
}

async function* hashed(
  chunks: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function requireRegular(file: string): Promise<void> {
  if (!(await stat(file)).isFile())
    throw new SafeRouteError('ERR_DATA', `${file}: must be a regular file, since it is read twice`);
}

/** Gathers what the survey keeps of the rows. */
class RowIndex {
  readonly #problems = new DataProblems();
  readonly #filled = new Set<string>();
  /** Id → the place where it stands first. */
  readonly #places = new Map<string, string>();
  readonly #unsafe: number[] = [];
  readonly #source: number[] = [];
  readonly #group: number[] = [];
  readonly #sources = new Map<string, number>();
  readonly #groups = new Map<string, number>();
  readonly #labels = { safe: 0, unsafe: 0 };
  #groupCount = 0;

  add({ file, place, line }: PlacedLine): void {
    this.#filled.add(file);
    if (line.kind === 'wrong') {
      this.#problems.add(place, line.problem);
      return;
    }
    this.#addId(line.id ?? place, place);
    const row = line.kind === 'row' ? line : null;
    if (row !== null) this.#labels[row.unsafe ? 'unsafe' : 'safe']++;
    this.#unsafe.push(row?.unsafe ? 1 : 0);
    this.#source.push(this.#sourceOf(row?.source ?? '', place));
    this.#group.push(this.#groupOf(row?.group ?? null));
  }

  finish(files: readonly string[], digest: string): Survey {
    const empty = files.find((file) => !this.#filled.has(file));
    if (empty !== undefined) this.#problems.add(empty, 'the file has no rows');
    this.#problems.throwIfAny();
    return {
      rows: this.#places.size,
      ids: [...this.#places.keys()],
      unsafe: Uint8Array.from(this.#unsafe),
      sources: [...this.#sources.keys()],
      source: Int32Array.from(this.#source),
      group: Int32Array.from(this.#group),
      digest,
      labels: this.#labels,
    };
  }

  #addId(id: string, place: string): void {
    const first = this.#places.get(id);
    if (first === undefined) this.#places.set(id, place);
    else this.#problems.add(place, `id ${JSON.stringify(id)} stands already at ${first}`);
  }

  #sourceOf(source: string, place: string): number {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    if (this.#sources.size === kSourcesLimit)
      this.#problems.add(place, `source ${JSON.stringify(source)} is one more than the limit of ${kSourcesLimit}`);
    this.#sources.set(source, this.#sources.size);
    return this.#sources.size - 1;
  }

  /** A row without a group is one of its own. */
  #groupOf(group: string | null): number {
    const known = group === null ? undefined : this.#groups.get(group);
    if (known !== undefined) return known;
    if (group !== null) this.#groups.set(group, this.#groupCount);
    return this.#groupCount++;
  }
}
