// Features are held against the guards of a pair: what differs is named, so that a person knows what to change.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openGuardFiles } from '../../../lib/load.js';
import type { GuardOptions } from '../../../lib/options.js';
import type { FeatureTable } from '../../../lib/train/feature-table.js';
import { fingerprintsOf } from '../../../lib/train/guard-fingerprint.js';
import { type LoadedGuard, requireReadBy } from '../../../lib/train/pair-guards.js';
import { parseGuardOptions } from '../../../lib/validate-options.js';
import { kLlamaGuard } from '../fixture-pairs.js';
import { coded } from '../rejected.js';
import { labelledTable } from './labelled-tables.js';

async function loaded(options: GuardOptions): Promise<LoadedGuard> {
  const settings = parseGuardOptions(options);
  const guard = await openGuardFiles({ dir: kLlamaGuard, guard: null }, settings);
  const fingerprints = await fingerprintsOf(guard, { int8Weights: () => ({ bits: 8, recipe: 1 }) });
  return { dir: kLlamaGuard, settings, fingerprints };
}

/** A table whose small guard was loaded with these options. */
async function readWith(options: GuardOptions): Promise<FeatureTable> {
  const { settings, fingerprints } = await loaded(options);
  const table = labelledTable(4);
  const small = { ...table.small, fingerprint: fingerprints(settings) };
  return { ...table, small, path: 'f.safetensors', rows: 4, features: { path: '', offset: 0, rows: 4, width: 3 } };
}

describe('features of a guard', () => {
  it('are its own under the settings that it is loaded with', async () => {
    const options = { precision: 'f32', overlong: 'truncate' } as const;
    requireReadBy(await readWith(options), 'small', await loaded(options));
  });

  for (const [key, before, now] of [
    ['precision', 'f32', 'int8'],
    ['overlong', 'truncate', 'error'],
    ['specialTokens', 'parse', 'text'],
  ] as const) {
    it(`are not under another ${key}, which the error names`, async () => {
      const [table, guard] = [await readWith({ [key]: before }), await loaded({})];
      assert.throws(
        () => requireReadBy(table, 'small', guard),
        coded(
          'ERR_DATA',
          `f.safetensors: its small guard was loaded with ${key} '${before}', the pair is with ${key} '${now}'`,
        ),
      );
    });
  }

  it('name every setting that differs', async () => {
    const table = await readWith({ precision: 'f32', overlong: 'truncate' });
    const guard = await loaded({});
    assert.throws(
      () => requireReadBy(table, 'small', guard),
      coded('ERR_DATA', "precision 'f32' and overlong 'truncate'", "precision 'int8' and overlong 'error'"),
    );
  });

  it('of another guard are refused under any', async () => {
    const table = await readWith({ guard: { append: { text: '!' } } });
    const guard = await loaded({});
    assert.throws(
      () => requireReadBy(table, 'small', guard),
      coded('ERR_DATA', 'f.safetensors: its small guard, /guards/small in int8', kLlamaGuard, 'template, spec'),
    );
  });
});
