// The built package in both module systems: one instance of every class, and everything by name.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';

const kDist = join(__dirname, '..', '..', 'dist');
// Hidden from the loader that tests run under, which would make a require of this.
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<Record<string, unknown>>;

it('require and import give the same objects', async () => {
  const required = createRequire(__filename)(join(kDist, 'index.js')) as Record<string, unknown>;
  const imported = await importModule(pathToFileURL(join(kDist, 'index.mjs')).href);
  const names = Object.keys(imported).filter((name) => name !== 'default' && name !== 'module.exports');
  assert.deepEqual(names.sort(), [
    'AbortError',
    'Guard',
    'Moderation',
    'PairedGuard',
    'SafeRoute',
    'SafeRouteError',
    'UnsafeResponseError',
  ]);
  assert.deepEqual(Object.keys(required).sort(), names);
  for (const name of names) assert.equal(imported[name], required[name], name);
});
