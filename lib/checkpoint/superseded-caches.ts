/** Converted weights that a newer file has taken the place of: they are as large as the guard, and nothing would read them again. */

import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { NativeWeightCache } from '../native.js';
import { readSafetensors } from './safetensors.js';

const kExtension = '.int8.safetensors';

/**
 * Removes the files beside `written` that were converted from the same checkpoint directory when it held other files, or by an older version
 * of the recipe, and tells which. A newer version's are left alone, and so is what cannot be read or removed.
 */
export async function removeSuperseded({ path }: Pick<NativeWeightCache, 'path'>): Promise<string[]> {
  const own = await originOf(path);
  const names = await readdir(dirname(path)).catch(() => []);
  const removed: string[] = [];
  for (const name of names) {
    const other = join(dirname(path), name);
    if (own === null || other === path || !name.endsWith(kExtension)) continue;
    const origin = await originOf(other);
    if (origin === null || origin.source !== own.source || origin.bits !== own.bits || origin.recipe > own.recipe)
      continue;
    const gone = await rm(other).then(
      () => true,
      () => false,
    );
    if (gone) removed.push(other);
  }
  return removed;
}

interface Origin {
  source: string;
  bits: string;
  recipe: number;
}

/** What the header says; null where the file is none of ours, or damaged. */
async function originOf(file: string): Promise<Origin | null> {
  const metadata = await readSafetensors(file).then(
    (read) => read.metadata,
    () => null,
  );
  const [source, bits] = [metadata?.get('source'), metadata?.get('bits')];
  if (metadata?.get('format') !== 'saferoute-int8' || source === undefined || bits === undefined) return null;
  return { source, bits, recipe: Number(metadata.get('recipe')) };
}
