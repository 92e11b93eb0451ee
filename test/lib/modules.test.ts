// The built package in both module systems: one instance of every class, and everything by name.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { it } from 'node:test';
import { pathToFileURL } from 'node:url';

const kDist = join(__dirname, '..', '..', 'dist');
// Hidden from the loader that tests run under, which would make a require of this.
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<Record<string, unknown>>;

const kEntries: Record<string, string[]> = {
  index: ['AbortError', 'Guard', 'Moderation', 'PairedGuard', 'SafeRoute', 'SafeRouteError', 'UnsafeResponseError'],
  'train/index': ['calibrate', 'evaluate', 'label', 'openFeatures', 'report', 'train'],
};

for (const [entry, expected] of Object.entries(kEntries)) {
  it(`require and import give the same objects: ${entry}`, async () => {
    const required = createRequire(__filename)(join(kDist, `${entry}.js`)) as Record<string, unknown>;
    const imported = await importModule(pathToFileURL(join(kDist, `${entry}.mjs`)).href);
    const names = Object.keys(imported).filter((name) => name !== 'default' && name !== 'module.exports');
    assert.deepEqual(names.sort(), expected);
    assert.deepEqual(Object.keys(required).sort(), names);
    for (const name of names) assert.equal(imported[name], required[name], name);
  });
}
