/** What a guard's readings are made of, in one number: two readings compare only where it is the same. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readTokenizerFile } from '../guard-tokenizer.js';
import type { OpenedGuard } from '../load.js';
import type { NativeAddon } from '../native.js';
import { type EngineSettings, kPrecisions } from '../validate-options.js';
import { fileDigest } from './file-digest.js';

/** The settings of a load that readings depend on. */
export type ReadingSettings = Pick<EngineSettings, 'precision' | 'specialTokens' | 'overlong'>;

/** A guard's fingerprint under any settings. */
export type Fingerprints = (settings: ReadingSettings) => string;

type Arithmetic = Pick<NativeAddon, 'int8Weights'>;

/**
 * SHA-256, in hex, of the weights, the tokenizer, template and spec by which the guard is asked, and the arithmetic. Of contents alone, so
 * that a copy of the guard in another place has the same. Reads all of the weights.
 */
export async function fingerprintOf(guard: OpenedGuard, settings: ReadingSettings, addon: Arithmetic): Promise<string> {
  return (await fingerprintsOf(guard, addon))(settings);
}

/** `fingerprintOf` under any settings for one reading of the weights. */
export async function fingerprintsOf(
  { checkpoint, spec, template }: OpenedGuard,
  addon: Arithmetic,
): Promise<Fingerprints> {
  const contents: string[] = [];
  for (const file of checkpoint.files) contents.push(await fileDigest(file));
  contents.push((await readTokenizerFile(join(checkpoint.directory, 'tokenizer.json'))).sha256);
  const { source, specialTokens: named } = template;
  return ({ precision, specialTokens, overlong }) => {
    const parts = {
      contents,
      model: checkpoint.spec,
      spec,
      template: [source, named],
      arithmetic: precision === 'int8' ? addon.int8Weights() : precision,
      specialTokens,
      overlong,
    };
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  };
}

/** The settings under which the guard has this fingerprint; null where it has it under none, and so is another guard or asked otherwise. */
export function settingsBehind(fingerprint: string, fingerprints: Fingerprints): ReadingSettings | null {
  for (const precision of kPrecisions)
    for (const specialTokens of ['text', 'parse'] as const)
      for (const overlong of ['error', 'truncate'] as const) {
        const settings = { precision, specialTokens, overlong };
        if (fingerprints(settings) === fingerprint) return settings;
      }
  return null;
}
