// Made-up traffic of two guards and a router's hardness, as features files and fake addons, for the tests of `calibrate`.
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { calibrateWith } from '../../../lib/train/calibrate.js';
import type { CalibrateOptions } from '../../../lib/train/calibrate-options.js';
import type { Calibration } from '../../../lib/train/calibration.js';
import { type LabelledTable, writeFeatures } from '../../../lib/train/features-writer.js';
import { kFixtures, scratchFolder } from '../checkpoint/scratch.js';
import { FakeAddon } from '../fake-addon.js';
import { labelledTable } from './labelled-tables.js';
import { seededRandom } from './seeded-random.js';

export const kRouter = join(kFixtures, 'routers', 'official-48.safetensors');
const kWidth = 48;

export interface Traffic {
  table: LabelledTable;
  hardness: Float32Array;
}

/** A small guard that errs where the hardness is high, and a large one that seldom does; labels, groups and sources as `changes` say. */
export function traffic(rows: number, seed: number, changes: Partial<LabelledTable> = {}): Traffic {
  const random = seededRandom(seed);
  const label = changes.label ?? Int8Array.from({ length: rows }, () => (random() < 0.35 ? 1 : 0));
  const hardness = Float32Array.from({ length: rows }, () => random() ** 2);
  const logits = (errs: (row: number) => number) => {
    const unsafe = Float32Array.from(
      label,
      (one, row) => (2 * one - 1) * (random() < errs(row) ? -1 : 1) * 3 * random(),
    );
    return { safe: new Float32Array(rows), unsafe };
  };
  const guard = (name: string, errs: (row: number) => number) => ({
    dir: `/guards/${name}`,
    fingerprint: name,
    precision: 'int8' as const,
    ...logits(errs),
  });
  const small = guard('small', (row) => 0.7 * (hardness[row] as number));
  const large = guard('large', () => 0.06);
  const ids = Array.from({ length: rows }, (_, row) => `${seed}-${row}`);
  return { hardness, table: labelledTable(rows, kWidth, { ids, label, small, large, ...changes }) };
}

export async function featuresOf(test: TestContext, { table }: Traffic): Promise<string> {
  const path = join(scratchFolder(test), 'features.safetensors');
  await writeFeatures(path, table);
  return path;
}

export function fakeOf(hardness: Float32Array): FakeAddon {
  return new FakeAddon({ rowHardness: (row) => hardness[row] as number });
}

/** Calibrates by the router on one file. */
export async function calibrated(test: TestContext, rows: Traffic, options: CalibrateOptions): Promise<Calibration> {
  const path = await featuresOf(test, rows);
  return calibrateWith(path, { router: kRouter, ...options }, () => fakeOf(rows.hardness));
}
