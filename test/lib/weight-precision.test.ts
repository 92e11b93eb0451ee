// Which precision native code is asked for, where its int8 weights are to be kept, and what is said when they cannot be.
import assert from 'node:assert/strict';
import diagnostics_channel from 'node:diagnostics_channel';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { NativeGuard } from '../../lib/native.js';
import type { GuardOptions } from '../../lib/options.js';
import { scratchFolder } from './checkpoint/scratch.js';
import type { FakeBehaviour } from './fake-addon.js';
import { fakePair, kLlamaGuard, kPair, kQwenGuard } from './fixture-pairs.js';

async function load(context: TestContext, options: GuardOptions, behaviour: FakeBehaviour = {}) {
  const { saferoute, engine } = await fakePair(context, behaviour, { ...kPair, ...options });
  return { saferoute, guards: [engine.config.small, engine.config.large as NativeGuard] };
}

describe('precision', () => {
  it('is int8 unless f32 is asked for', async (context) => {
    for (const [options, expected] of [
      [{}, 'int8'],
      [{ precision: 'auto' }, 'int8'],
      [{ precision: 'int8' }, 'int8'],
      [{ precision: 'f32' }, 'f32'],
    ] as [GuardOptions, string][]) {
      const { saferoute, guards } = await load(context, options);
      assert.deepEqual(
        guards.map(({ precision }) => precision),
        [expected, expected],
      );
      assert.deepEqual([saferoute.small.precision, saferoute.large?.precision], [expected, expected]);
    }
  });
});

describe('the cache of int8 weights', () => {
  it('is a file for each guard where a directory is named', async (context) => {
    const cacheDir = scratchFolder(context);
    const { guards } = await load(context, { cacheDir });
    const paths = guards.map(({ weightCache }) => weightCache?.path ?? assert.fail('no plan'));
    assert.ok(paths.every((path) => join(path, '..') === cacheDir));
    assert.equal(new Set(paths).size, 2);
  });

  it('is nowhere for f32 and for null', async (context) => {
    const cacheDir = scratchFolder(context);
    for (const options of [{ cacheDir, precision: 'f32' }, { cacheDir: null }] as GuardOptions[]) {
      const { guards } = await load(context, options);
      assert.deepEqual(
        guards.map(({ weightCache }) => weightCache),
        [null, null],
      );
    }
  });

  it('that was read or written is nothing to tell of', async (context) => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    context.after(() => process.off('warning', onWarning));
    for (const weightCache of ['none', 'read', 'written'] as const) await load(context, {}, { weightCache });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warnings, []);
  });

  it('that cannot be used is a warning of the process and an event, once per guard, and the pair stands', async (context) => {
    const heard: unknown[] = [];
    const listener = (message: unknown) => heard.push(message);
    diagnostics_channel.subscribe('saferoute:warning', listener);
    context.after(() => diagnostics_channel.unsubscribe('saferoute:warning', listener));
    const warned = once(process, 'warning');
    await load(context, {}, { weightCache: { warning: '/full/disk: no space left' } });
    const [warning] = await warned;
    assert.deepEqual([warning.name, warning.code], ['SafeRouteWarning', 'SAFEROUTE_CACHE']);
    const message = 'converted weights are not kept for the next load: /full/disk: no space left';
    assert.equal(warning.message, message);
    assert.deepEqual(
      heard,
      [kLlamaGuard, kQwenGuard].map((guard) => ({ code: 'SAFEROUTE_CACHE', guard, message })),
    );
  });
});
