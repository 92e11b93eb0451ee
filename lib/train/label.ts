/** Runs both guards over labelled rows and keeps what a router is learnt from: `saferoute label`. */

import { rm } from 'node:fs/promises';
import { writeAtomically } from '../atomic-file.js';
import { settleDevice } from '../device.js';
import { SafeRouteError, throwIfAborted } from '../errors.js';
import { load, openGuardFiles } from '../load.js';
import { loadAddon, type NativeAddon } from '../native.js';
import { isHard } from './feature-table.js';
import { writeFeatures } from './features-writer.js';
import { fingerprintOf } from './guard-fingerprint.js';
import { LabelJournal } from './label-journal.js';
import {
  type FailedRow,
  type LabelPlan,
  type LabelRequest,
  type LabelSummary,
  parseLabelRequest,
} from './label-options.js';
import { LabelProgressMeter } from './label-progress.js';
import { labelRows } from './label-run.js';
import { type Survey, surveyRows } from './labelled-rows.js';
import { type LabelledGuards, labelledTable } from './labelled-table.js';

/**
 * Checks all of the data, has every row read by both guards and writes the features file. What is done is kept in `<output>.journal` while
 * the work goes on: the same call takes it up after whatever ended it, and with int8 guards the file comes out the same to the last bit.
 * Rows that no guard can read are left out and listed in `<output>.failed.jsonl`.
 * Rejects with ERR_DATA for data that make no sense, or a journal of other data or guards; with the errors of loading a pair; with
 * ERR_ABORTED; with the system's own error where a file cannot be read or written.
 */
export async function label(request: LabelRequest): Promise<LabelSummary> {
  return labelWith(request, loadAddon);
}

/** `label` over any addon of the native shape. */
export async function labelWith(request: LabelRequest, getAddon: () => NativeAddon): Promise<LabelSummary> {
  const plan = await parseLabelRequest(request);
  const addon = getAddon();
  // Features say in which precision they were read, so the device is decided before any is.
  const settings = await settleDevice(plan.load.settings, addon);
  const progress = new LabelProgressMeter(plan.onProgress);
  const survey = await surveyRows(plan.files, settings.inputBytes, (row) => {
    throwIfAborted(plan.signal);
    progress.surveyed(row + 1);
  });
  progress.loading(survey.rows);
  const [small, large] = [
    await openGuardFiles(plan.load.small, settings),
    await openGuardFiles(plan.load.large, settings),
  ];
  const noteOf = async (guard: typeof small) => ({
    dir: guard.checkpoint.directory,
    fingerprint: await fingerprintOf(guard, settings, addon),
    precision: settings.precision,
  });
  const notes = { small: await noteOf(small), large: await noteOf(large), width: small.checkpoint.spec.hiddenSize };
  const journal = await LabelJournal.open(`${plan.output}.journal`, {
    data: survey.digest,
    small: notes.small.fingerprint,
    large: notes.large.fingerprint,
    rows: survey.rows,
    width: notes.width,
  });
  try {
    const settled = { ...plan, load: { ...plan.load, settings } };
    return await labelInto(journal, { plan: settled, survey, notes, progress, addon });
  } finally {
    await journal.close();
  }
}

interface LabelWork {
  plan: LabelPlan;
  survey: Survey;
  notes: Omit<LabelledGuards, 'contentFree'>;
  progress: LabelProgressMeter;
  addon: NativeAddon;
}

async function labelInto(
  journal: LabelJournal,
  { plan, survey, notes, progress, addon }: LabelWork,
): Promise<LabelSummary> {
  const resumed = journal.records;
  throwIfAborted(plan.signal);
  const { engine } = await load(plan.load, addon);
  const { failed, contentFree } = await labelRows({ engine, plan, survey, journal, progress }).finally(() =>
    engine.close(),
  );
  progress.writing();
  const failedPath = await writeFailed(plan.output, failed);
  if (journal.records === 0)
    throw new SafeRouteError('ERR_DATA', `no guard could read any of the ${survey.rows} rows; ${failedPath} says why`);
  const table = await labelledTable(survey, journal, { ...notes, contentFree });
  await writeFeatures(plan.output, table);
  await journal.remove();
  const rows = table.ids.length;
  const hard = table.label.reduce((count, _, row) => count + (isHard(table, row) ? 1 : 0), 0);
  const unsafe = table.label.reduce((count, one) => count + one, 0);
  return {
    path: plan.output,
    rows,
    hard,
    unsafe,
    resumed,
    failed,
    failedPath,
    warnings: warningsOf(rows, hard, unsafe),
  };
}

/** A list of an earlier run does not stay beside features of this one. */
async function writeFailed(output: string, failed: readonly FailedRow[]): Promise<string | null> {
  const path = `${output}.failed.jsonl`;
  if (failed.length === 0) {
    await rm(path, { force: true });
    return null;
  }
  await writeAtomically(path, (write) => write(Buffer.from(failed.map((row) => `${JSON.stringify(row)}\n`).join(''))));
  return path;
}

function warningsOf(rows: number, hard: number, unsafe: number): string[] {
  const warnings: string[] = [];
  if (unsafe === 0 || unsafe === rows)
    warnings.push(`all ${rows} rows are ${unsafe === 0 ? 'safe' : 'unsafe'}: half of what can go wrong is not in them`);
  if (hard === 0) warnings.push('no row is hard: there is nothing that a router could learn to find');
  return warnings;
}
