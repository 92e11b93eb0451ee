/** What a guard's readings are made of, in one number: two readings compare only where it is the same. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readTokenizerFile } from '../guard-tokenizer.js';
import type { OpenedGuard } from '../load.js';
import type { NativeAddon } from '../native.js';
import type { EngineSettings } from '../validate-options.js';

/**
 * SHA-256, in hex, of the weights, the tokenizer, template and spec by which the guard is asked, and the arithmetic. Of contents alone, so
 * that a copy of the guard in another place has the same. Reads all of the weights.
 */
export async function fingerprintOf(
  { checkpoint, spec, template }: OpenedGuard,
  { precision, specialTokens, overlong }: EngineSettings,
  addon: Pick<NativeAddon, 'int8Weights'>,
): Promise<string> {
  const contents: string[] = [];
  for (const file of checkpoint.files) contents.push(await sha256Of(file));
  contents.push((await readTokenizerFile(join(checkpoint.directory, 'tokenizer.json'))).sha256);
  const arithmetic = precision === 'int8' ? addon.int8Weights() : precision;
  const { source, specialTokens: named } = template;
  const parts = {
    contents,
    model: checkpoint.spec,
    spec,
    template: [source, named],
    arithmetic,
    specialTokens,
    overlong,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
