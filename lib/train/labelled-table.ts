/** Makes the table of a features file of what the survey and the journal hold: the rows that were read, in the order of the data. */

import type { GuardNote } from './feature-columns.js';
import type { FeatureTable, GuardColumns } from './feature-table.js';
import type { LabelledTable } from './features-writer.js';
import type { LabelJournal } from './label-journal.js';
import type { Survey } from './labelled-rows.js';

const kPieceBytes = 1 << 20; // of features, written at a time

export interface LabelledGuards {
  small: GuardNote;
  large: GuardNote;
  /** Of the small guard's features. */
  width: number;
  contentFree: FeatureTable['contentFree'];
}

/** Features stay in the journal until they are written. */
export async function labelledTable(
  survey: Survey,
  journal: LabelJournal,
  { small, large, width, contentFree }: LabelledGuards,
): Promise<LabelledTable> {
  const rows = Int32Array.from({ length: survey.rows }, (_, row) => row).filter((row) => journal.has(row));
  const tokens = { small: new Int32Array(rows.length), large: new Int32Array(rows.length) };
  const guards = { small: columnsOf(small, rows.length), large: columnsOf(large, rows.length) };
  let at = 0;
  for await (const { reading } of journal.readings()) {
    for (const guard of ['small', 'large'] as const) {
      tokens[guard][at] = reading.tokens[guard];
      guards[guard].safe[at] = reading[guard].safe;
      guards[guard].unsafe[at] = reading[guard].unsafe;
    }
    at++;
  }
  return {
    ids: Array.from(rows, (row) => survey.ids[row] as string),
    ...sourcesOf(survey, rows),
    group: rows.map((row) => survey.group[row] as number),
    label: Int8Array.from(rows, (row) => survey.unsafe[row] as number),
    ...guards,
    tokens,
    contentFree,
    width,
    features: featuresOf(journal, width),
  };
}

function columnsOf(note: GuardNote, rows: number): GuardColumns {
  return { ...note, safe: new Float32Array(rows), unsafe: new Float32Array(rows) };
}

/** The sources of `rows` alone: a file says of no row that it is there. */
function sourcesOf(survey: Survey, rows: Int32Array): Pick<FeatureTable, 'sources' | 'source'> {
  const used = [...new Set(rows.map((row) => survey.source[row] as number))].sort((a, b) => a - b);
  const places = new Map(used.map((place, index) => [place, index]));
  return {
    sources: used.map((place) => survey.sources[place] as string),
    source: rows.map((row) => places.get(survey.source[row] as number) as number),
  };
}

async function* featuresOf(journal: LabelJournal, width: number): AsyncGenerator<Float32Array, void, void> {
  const piece = new Float32Array(Math.max(1, Math.floor(kPieceBytes / 4 / width)) * width);
  let filled = 0;
  for await (const { reading } of journal.readings()) {
    piece.set(reading.feature, filled);
    filled += width;
    if (filled < piece.length) continue;
    yield piece;
    filled = 0;
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
