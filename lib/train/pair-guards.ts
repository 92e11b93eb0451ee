/** Whether features were read by the guards of a pair: a threshold of other guards would be one of nothing. */

import { realpath } from 'node:fs/promises';
import type { Pair } from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import { openGuardFiles } from '../load.js';
import type { NativeAddon } from '../native.js';
import { parseGuardOptions } from '../validate-options.js';
import type { FeatureTable } from './feature-table.js';
import { fingerprintOf } from './guard-fingerprint.js';

/**
 * Throws ERR_DATA where they were not. A guard in the directory that the features name is taken at its word; one in another place is
 * held against their fingerprint, which reads all of its weights.
 */
export async function requireReadByPair(
  pair: Pair,
  table: FeatureTable,
  getAddon: () => Pick<NativeAddon, 'int8Weights'>,
): Promise<void> {
  for (const name of ['small', 'large'] as const) {
    const [dir, { dir: readBy, precision, fingerprint }] = [pair[name] as string, table[name]];
    if (await sameDirectory(dir, readBy)) continue;
    const settings = parseGuardOptions({ precision });
    const guard = await openGuardFiles({ dir, guard: null }, settings);
    if ((await fingerprintOf(guard, settings, getAddon())) === fingerprint) continue;
    throw new SafeRouteError(
      'ERR_DATA',
      `${table.path}: its ${name} guard (${readBy}, ${precision}) is not that of ${pair.path} (${dir})`,
    );
  }
}

/** Absolute paths; nothing need be there any more. */
async function sameDirectory(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => null)));
  return first !== null && first === second;
}
