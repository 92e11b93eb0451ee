import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openGuardFiles } from '../../../lib/load.js';
import type { GuardOptions } from '../../../lib/options.js';
import { fingerprintOf } from '../../../lib/train/guard-fingerprint.js';
import { parseGuardOptions } from '../../../lib/validate-options.js';
import { scratchFolder } from '../checkpoint/scratch.js';
import { kLlamaGuard } from '../fixture-pairs.js';

async function printOf(dir: string, options: GuardOptions = {}, bits: 7 | 8 = 8): Promise<string> {
  const settings = parseGuardOptions(options);
  const guard = await openGuardFiles({ dir, guard: null }, settings);
  return fingerprintOf(guard, settings, { int8Weights: () => ({ bits, recipe: 1 }) });
}

function copyOf(test: TestContext): string {
  const dir = join(scratchFolder(test), 'copy');
  cpSync(kLlamaGuard, dir, { recursive: true });
  return dir;
}

describe("a guard's fingerprint", () => {
  it('is the same for a copy in another place', async (test) => {
    assert.equal(await printOf(copyOf(test)), await printOf(kLlamaGuard));
  });

  it('changes with weights, tokenizer, template, spec and arithmetic', async (test) => {
    const prints = [await printOf(kLlamaGuard)];
    const withFile = async (file: string, change: (text: Buffer) => Buffer | string) => {
      const dir = copyOf(test);
      writeFileSync(join(dir, file), change(readFileSync(join(dir, file))));
      prints.push(await printOf(dir));
    };
    await withFile('model.safetensors', (bytes) => {
      bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
      return bytes;
    });
    await withFile('tokenizer.json', (bytes) => `${bytes} `);
    await withFile('tokenizer_config.json', (bytes) => {
      const config = JSON.parse(bytes.toString());
      return JSON.stringify({ ...config, chat_template: `${config.chat_template} ` });
    });
    await withFile('config.json', (bytes) => {
      const config = JSON.parse(bytes.toString());
      return JSON.stringify({ ...config, rms_norm_eps: 2 * config.rms_norm_eps });
    });
    prints.push(await printOf(kLlamaGuard, { precision: 'f32' }));
    prints.push(await printOf(kLlamaGuard, {}, 7));
    prints.push(await printOf(kLlamaGuard, { overlong: 'truncate' }));
    prints.push(await printOf(kLlamaGuard, { specialTokens: 'parse' }));
    prints.push(await printOf(kLlamaGuard, { guard: { append: { text: '!' } } }));
    assert.equal(new Set(prints).size, 10);
  });
});
