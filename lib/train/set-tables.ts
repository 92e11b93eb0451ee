/** The sets that are judged, as tables: features files as they are, labelled rows once both guards have read them. */

import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRegularFile } from '../checkpoint/source-file.js';
import { SafeRouteError } from '../errors.js';
import { requireSamePair } from './calibration-rows.js';
import type { EvaluatePlan, NamedSet } from './evaluate-options.js';
import { type EvaluatedPair, requireReadByBoth } from './evaluated-pair.js';
import type { FeatureTable } from './feature-table.js';
import { openFeatures } from './features-reader.js';
import { fileDigest } from './file-digest.js';
import { label } from './label.js';
import { pickRows, type RowColumns, unseenRows } from './unseen-rows.js';

export interface OpenedSet extends NamedSet {
  /** The whole file. */
  file: FeatureTable;
  /** Its rows that are judged, ascending: those that no router learnt from. */
  chosen: Int32Array;
  /** `(chosen)` */
  table: RowColumns;
  /** Rows that no guard could read, and that no figure counts. */
  failed: number;
}

/** `folder`: where the features of labelled rows are kept; those that are there already, of the same rows and guards, are taken. */
export async function openSets(plan: EvaluatePlan, pair: EvaluatedPair, folder: string): Promise<OpenedSet[]> {
  const opened: OpenedSet[] = [];
  for (const set of plan.sets) {
    const path = set.kind === 'features' ? set.path : await labelled(set, plan, pair, folder);
    const file = await openFeatures(path);
    requireReadByBoth(pair, file);
    requireSamePair(opened[0]?.file ?? file, file);
    const chosen = unseenRows(file, [pair.router, pair.benefit]);
    if (chosen.length === 0)
      throw new SafeRouteError(
        'ERR_DATA',
        `${path}: the pair's routers learnt from all of its rows; judge it by others`,
      );
    opened.push({ ...set, file, chosen, table: pickRows(file, chosen), failed: await failedRows(path) });
  }
  return opened;
}

/** The features of the set's rows, in a file named for the rows and the guards that read them. */
async function labelled(
  { name, path }: NamedSet,
  { pair, parts, options, signal, onProgress }: EvaluatePlan,
  { guards }: EvaluatedPair,
  folder: string,
): Promise<string> {
  const readers = guards && [guards.small, guards.large].map(({ fingerprints, settings }) => fingerprints(settings));
  const key = createHash('sha256')
    .update(JSON.stringify([await fileDigest(path), readers]))
    .digest('hex');
  await mkdir(folder, { recursive: true });
  const output = join(folder, `${name.replace(/[^\w.-]+/g, '_')}-${key.slice(0, 16)}.safetensors`);
  if (await isRegularFile(output)) return output;
  const { small, large } = parts;
  await label({
    ...(pair !== undefined && { pair }),
    ...(small !== undefined && { small }),
    ...(large && { large }),
    data: path,
    output,
    options,
    ...(signal && { signal }),
    onProgress: ({ done, rows, secondsLeft }) =>
      onProgress({ stage: 'label', set: name, done, total: rows, secondsLeft }),
  });
  return output;
}

/** One line for each, beside the features. */
async function failedRows(features: string): Promise<number> {
  const path = `${features}.failed.jsonl`;
  if (!(await isRegularFile(path))) return 0;
  return (await readFile(path, 'utf8')).split('\n').filter((line) => line.trim() !== '').length;
}
