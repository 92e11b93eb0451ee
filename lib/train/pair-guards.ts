/** Whether features were read by the guards of a pair: a threshold of other guards would be one of nothing. */

import { realpath } from 'node:fs/promises';
import type { Pair } from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import { openGuardFiles } from '../load.js';
import type { NativeAddon } from '../native.js';
import { parseGuardOptions } from '../validate-options.js';
import type { FeatureTable } from './feature-table.js';
import { type Fingerprints, fingerprintsOf, type ReadingSettings, settingsBehind } from './guard-fingerprint.js';

type GuardName = 'small' | 'large';

/**
 * Throws ERR_DATA where they were not. A guard in the directory that the features name is taken at its word; one in another place is
 * held against their fingerprint, which reads all of its weights. Under which settings it read them does not matter: a pair's file names none.
 */
export async function requireReadByPair(
  pair: Pair,
  table: FeatureTable,
  getAddon: () => Pick<NativeAddon, 'int8Weights'>,
): Promise<void> {
  for (const name of ['small', 'large'] as const) {
    const [dir, { dir: readBy, fingerprint }] = [pair[name] as string, table[name]];
    if (await sameDirectory(dir, readBy)) continue;
    const guard = await openGuardFiles({ dir, guard: null }, parseGuardOptions(undefined));
    const fingerprints = await fingerprintsOf(guard, getAddon());
    if (settingsBehind(fingerprint, fingerprints) === null) refuseOther(table, name, `that of ${pair.path}, ${dir}`);
  }
}

/** A guard of a pair, as it is loaded. */
export interface LoadedGuard {
  dir: string;
  settings: ReadingSettings;
  fingerprints: Fingerprints;
}

/** Throws ERR_DATA, naming what differs, where the table was read by another guard, or by this one under other settings. */
export function requireReadBy(
  table: FeatureTable,
  name: GuardName,
  { dir, settings, fingerprints }: LoadedGuard,
): void {
  const { fingerprint } = table[name];
  if (fingerprints(settings) === fingerprint) return;
  const before = settingsBehind(fingerprint, fingerprints);
  if (before === null) refuseOther(table, name, `the pair's, ${dir}`);
  const keys = (['precision', 'overlong', 'specialTokens'] as const).filter((key) => before[key] !== settings[key]);
  const said = (from: ReadingSettings) => keys.map((key) => `${key} '${from[key]}'`).join(' and ');
  throw new SafeRouteError(
    'ERR_DATA',
    `${table.path}: its ${name} guard was loaded with ${said(before)}, the pair is with ${said(settings)}; load both alike`,
  );
}

function refuseOther(table: FeatureTable, name: GuardName, other: string): never {
  const { dir, precision } = table[name];
  throw new SafeRouteError(
    'ERR_DATA',
    `${table.path}: its ${name} guard, ${dir} in ${precision}, is not ${other}: weights, tokenizer, template, spec or the CPU's int8 arithmetic differ`,
  );
}

/** Absolute paths; nothing need be there any more. */
async function sameDirectory(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => null)));
  return first !== null && first === second;
}
