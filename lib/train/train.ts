/** Trains a router on a features file: `saferoute train`. */

import { existsSync } from 'node:fs';
import { access, constants, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { openRouter } from '../checkpoint/index.js';
import { AbortError, fromNative, SafeRouteError, throwIfAborted } from '../errors.js';
import { loadAddon, type NativeAddon } from '../native.js';
import type { NativeTrainedRouter, NativeTrainingData } from '../native-training.js';
import { type FeatureTable, kHardAt } from './feature-table.js';
import { openFeatures } from './features-reader.js';
import { hardnessOf } from './hardness.js';
import { judgeRows } from './judged-rows.js';
import { averagePrecision, classify } from './metrics.js';
import { kRecipes } from './recipes.js';
import { writeRouter } from './router-writer.js';
import { splitRows } from './split.js';
import { countHard, requireLearnable, targetsOf } from './targets.js';
import {
  parseTrainOptions,
  type RoutingFigures,
  type TrainOptions,
  type TrainRequest,
  type TrainSummary,
} from './train-options.js';
import { TrainPace } from './train-pace.js';

/**
 * Trains by a recipe on the rows of a file that `label` wrote, judges the router by the rows that were kept from it, and writes it. Where the
 * training stands is kept in `<output>.state`: the same call takes it up after whatever ended it, and the router comes out the same to the
 * last bit. Rejects with ERR_DATA for rows that teach nothing, ERR_NOT_FINITE naming the row of a feature that is NaN or infinite, ERR_CHECKPOINT
 * for a broken features or state file, ERR_OUT_OF_RANGE for the state of another training, ERR_ABORTED, and with the system's own error where
 * a file cannot be written.
 */
export function train(features: string, options: TrainOptions): Promise<TrainSummary> {
  return trainWith(features, options, loadAddon);
}

/** `train` over any addon of the native shape. */
export async function trainWith(
  features: string,
  options: TrainOptions,
  getAddon: () => Pick<NativeAddon, 'trainRouter' | 'routeFeatures'>,
): Promise<TrainSummary> {
  const request = parseTrainOptions(features, options);
  const { recipe, seed } = request;
  const { lesson, threshold } = kRecipes[recipe];
  const output = resolve(request.output);
  await access(dirname(output), constants.W_OK);
  const table = await openFeatures(request.features);
  const rows = judgeRows(table, kHardAt, { hardness: null, benefit: null });
  const split = splitRows(table, request);
  requireLearnable(table.path, rows.hard, split, kRecipes[recipe]);
  const addon = getAddon();
  const data = {
    features: table.features,
    targets: targetsOf(rows, lesson),
    trainRows: split.train,
    validRows: split.valid,
  };
  const statePath = `${output}.state`;
  const resumed = existsSync(statePath);
  const trained = await run(addon, data, statePath, request);
  const counts = { trainRows: split.train.length, validRows: split.valid.length };
  await writeRouter(output, trained, {
    recipe,
    seed,
    validShare: request.validShare,
    table,
    dtype: request.dtype,
    ...counts,
  });
  await rm(statePath, { force: true });
  return {
    path: output,
    recipe,
    threshold,
    rows: table.rows,
    hard: countHard(rows.hard, [...rows.hard.keys()]),
    trainRows: counts.trainRows,
    epochs: trained.epochs,
    keptEpoch: trained.keptEpoch,
    resumed,
    valid: counts.validRows === 0 ? null : await judge(output, table, rows.hard, split.valid, addon),
  };
}

async function run(
  addon: Pick<NativeAddon, 'trainRouter'>,
  data: NativeTrainingData,
  statePath: string,
  { recipe, seed, epochs, threads, signal, onProgress }: TrainRequest,
): Promise<NativeTrainedRouter> {
  throwIfAborted(signal);
  const plan = { ...kRecipes[recipe].plan, epochs, seed, statePath };
  const pace = new TrainPace(epochs);
  const thrown: unknown[] = [];
  const training = addon.trainRouter(data, plan, threads, (reports) => {
    try {
      for (const report of reports) onProgress(pace.progress(report));
    } catch (error) {
      thrown.push(error);
      training.stop();
    }
  });
  signal?.addEventListener('abort', training.stop);
  try {
    const trained = await training.done;
    if (thrown.length === 0) return trained;
  } catch (error) {
    if (thrown.length === 0) throw signal?.aborted ? new AbortError(signal.reason) : trainingError(error, data);
  } finally {
    signal?.removeEventListener('abort', training.stop);
  }
  throw thrown[0];
}

/** Native code names the row, but knows no files. */
function trainingError(error: unknown, { features }: NativeTrainingData): unknown {
  const known = fromNative(error);
  if (!(known instanceof SafeRouteError && known.code === 'ERR_NOT_FINITE')) return known;
  return new SafeRouteError(known.code, `${features.path}: ${known.message}`, { cause: error });
}

/** Over the validation rows, by the router as the file has it. */
async function judge(
  router: string,
  table: FeatureTable,
  hard: Uint8Array,
  valid: Int32Array,
  addon: Pick<NativeAddon, 'routeFeatures'>,
): Promise<RoutingFigures> {
  const file = await openRouter(router);
  const hardness = await hardnessOf(table, file, addon);
  const labels = Int8Array.from(valid, (row) => hard[row] as number);
  const scores = Float32Array.from(valid, (row) => hardness[row] as number);
  const flags = Uint8Array.from(scores, (score) => (score > file.defaultThreshold ? 1 : 0));
  const { f1, precision, recall, confusion } = classify(labels, flags);
  return {
    rows: valid.length,
    hard: countHard(hard, valid),
    auprc: averagePrecision(labels, scores),
    f1,
    precision,
    recall,
    escalated: (confusion.tp + confusion.fp) / valid.length,
  };
}
