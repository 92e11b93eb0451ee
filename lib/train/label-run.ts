/** Has every row that the journal does not hold read by both guards, many at a time so that their passes are full. */

import { toConversation } from '../conversation.js';
import type { CascadeResult, Engine } from '../engine.js';
import { SafeRouteError } from '../errors.js';
import type { RequestTerms } from '../request-options.js';
import type { FeatureTable } from './feature-table.js';
import type { LabelJournal, RowReading } from './label-journal.js';
import type { FailedRow, LabelPlan } from './label-options.js';
import type { LabelProgressMeter } from './label-progress.js';
import { type PlacedLine, readLabelledRows, type Survey } from './labelled-rows.js';
import { TaskPool } from './task-pool.js';

const kRowsInFlight = 512; // two full passes of each guard
const kBytesInFlight = 64 << 20; // of lines

/** What says of one row that it cannot be read; anything else says that no row can. */
const kRefusals: ReadonlySet<string> = new Set([
  'ERR_INPUT',
  'ERR_INPUT_TOO_LARGE',
  'ERR_CONTEXT_LENGTH',
  'ERR_NOT_FINITE',
]);

export interface LabelRun {
  /** Of a pair that escalates every row. */
  engine: Engine;
  plan: LabelPlan;
  survey: Survey;
  journal: LabelJournal;
  progress: LabelProgressMeter;
}

export interface LabelRunResult {
  /** In the order of the data. */
  failed: FailedRow[];
  contentFree: FeatureTable['contentFree'];
}

export async function labelRows(run: LabelRun): Promise<LabelRunResult> {
  const contentFree = await readContentFree(run);
  const failed = new Map<number, FailedRow>();
  const { plan, survey, journal, progress } = run;
  const { inputBytes, queueRequests } = plan.load.settings;
  const pool = new TaskPool({ tasks: Math.min(kRowsInFlight, queueRequests), bytes: kBytesInFlight });
  const lines = readLabelledRows(plan.files, inputBytes);
  progress.labelling(journal.records);
  let next = await lines.next();
  try {
    for (; !next.done; next = await lines.next()) {
      const placed = next.value;
      if (journal.has(placed.row)) continue;
      await pool.run(placed.bytes, () => labelRow(run, placed, failed));
    }
    await pool.end();
  } finally {
    await lines.return('');
  }
  if (next.value !== survey.digest)
    throw new SafeRouteError('ERR_DATA', `${plan.files.join(', ')}: changed while the rows were labelled`);
  return { failed: [...failed.entries()].sort(([a], [b]) => a - b).map(([, row]) => row), contentFree };
}

async function labelRow(
  { engine, plan, survey, journal, progress }: LabelRun,
  { row, place, line }: PlacedLine,
  failed: Map<number, FailedRow>,
): Promise<void> {
  try {
    if (line.kind !== 'row') throw line.kind === 'refused' ? line.error : new SafeRouteError('ERR_DATA', line.problem);
    const conversation = toConversation(line.input, plan.load.settings.inputBytes);
    await journal.add(row, toRowReading(await engine.cascade(conversation, [0, 1], bulk(plan.signal), () => {}, true)));
    progress.labelled();
  } catch (error) {
    if (!(error instanceof SafeRouteError) || !kRefusals.has(error.code)) throw error;
    failed.set(row, { id: survey.ids[row] as string, line: place, code: error.code, message: error.message });
    progress.refused();
  }
}

/** The prior of contextual calibration: SafeRoute's reference code takes a message of one space. null where the guard does not take that. */
async function readContentFree({ engine, plan }: LabelRun): Promise<FeatureTable['contentFree']> {
  const nothing = { messages: [{ role: 'user' as const, content: ' ' }], rules: null };
  try {
    const { safe, unsafe } = await engine.score('small', nothing, bulk(plan.signal));
    return { safe, unsafe };
  } catch (error) {
    if (error instanceof SafeRouteError && kRefusals.has(error.code)) return null;
    throw error;
  }
}

function toRowReading({ event, largeTokens }: CascadeResult): RowReading {
  const { small, large, promptTokens } = event;
  if (!small?.feature || large === null || largeTokens === null)
    throw new SafeRouteError('ERR_BACKEND', 'the engine answered without both readings and the feature');
  return { tokens: { small: promptTokens, large: largeTokens }, small, large, feature: small.feature };
}

function bulk(signal: AbortSignal | null): RequestTerms {
  return { signal, bulk: true, deadlineMs: null };
}
