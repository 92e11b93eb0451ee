// The addon exports what lib/native.ts declares, to JavaScript, and what Node looks up, to the loader; nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import type { NativeAddon, NativeEngine, NativeEngineConfig, NativeSubmitOptions } from '../../lib/native.js';

const kRoot = resolve(__dirname, '../..');
const kRelease = join(kRoot, 'build/Release');
const { loadAddon } = require('../../dist/native.js') as typeof import('../../lib/native.js');
const { openGuard } = require('../../dist/guard.js') as typeof import('../../lib/guard.js');

// The type checker holds these to the interfaces: a name too many or too few does not compile.
const kAddon: Record<keyof NativeAddon, true> = {
  loadEngine: true,
  runtimeVersion: true,
  cpuFeatures: true,
  availableMemory: true,
  estimateMemory: true,
  int8Weights: true,
};
const kEngine: Record<keyof NativeEngine, true> = {
  small: true,
  large: true,
  submit: true,
  route: true,
  cancel: true,
  stats: true,
  close: true,
};

const kOptions: NativeSubmitOptions = { wantFeature: false, bulk: false, deadlineMs: null };

describe('the addon', () => {
  const addon = loadAddon();

  it('exports what native.ts declares', () => {
    assert.deepEqual(Object.keys(addon).sort(), Object.keys(kAddon).sort());
  });

  it('makes engines with the members that native.ts declares', async () => {
    const native = await smallEngine(addon);
    const members = Object.getOwnPropertyNames(Object.getPrototypeOf(native)).filter((name) => name !== 'constructor');
    assert.deepEqual(members.sort(), Object.keys(kEngine).sort());
    await native.close();
  });

  it('speaks of its runtime and its machine', () => {
    assert.match(addon.runtimeVersion(), /^\d+\.\d+\.\d+$/);
    assert.ok(addon.availableMemory() > 0);
    assert.ok(addon.cpuFeatures().every((name) => /^[a-z0-9_]+$/.test(name)));
  });

  it('shows the loader the entry points of Node alone', { skip: noSymbols() }, () => {
    const file = readdirSync(kRelease).find((name) => name.endsWith('.node')) ?? '';
    const { stdout } = spawnSync('nm', ['-D', '--defined-only', join(kRelease, file)], { encoding: 'utf8' });
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').at(-1));
    assert.deepEqual(names.sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  });
});

describe('a wrong call from lib/', () => {
  const addon = loadAddon();

  it('rejects a load with a TypeError that names the member', async () => {
    const config = { ...(await smallConfig(addon)), batchRows: 'many' } as unknown as NativeEngineConfig;
    const refused = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    await assert.rejects(
      addon.loadEngine(config, () => {}),
      {
        ...refused,
        message: 'config.batchRows must be a 32-bit integer',
      },
    );
    await assert.rejects(
      addon.loadEngine(null as unknown as NativeEngineConfig, () => {}),
      {
        ...refused,
        message: 'config must be an object',
      },
    );
    await assert.rejects(addon.loadEngine(await smallConfig(addon), null as unknown as () => void), {
      ...refused,
      message: 'onEvents must be a function',
    });
  });

  it('throws a TypeError, RangeError or error with a code from every method', async () => {
    const native = await smallEngine(addon);
    const { small } = native;
    const ids = Int32Array.of(1);
    const calls: [() => unknown, string, string][] = [
      [() => native.submit('both' as 'small', ids, null, kOptions), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.submit('small', [1] as unknown as Int32Array, null, kOptions), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [
        () => native.submit('small', ids, null, true as unknown as NativeSubmitOptions),
        'TypeError',
        'ERR_INVALID_ARG_TYPE',
      ],
      [() => native.submit('small', new Int32Array(0), null, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [() => native.submit('small', Int32Array.of(-1), null, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [() => native.submit('small', Int32Array.of(2 ** 30), null, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [() => native.submit('large', null, ids, kOptions), 'RangeError', 'ERR_OUT_OF_RANGE'],
      [
        () => native.submit('small', new Int32Array(small.maxPositions + 1), null, kOptions),
        'Error',
        'ERR_CONTEXT_LENGTH',
      ],
      [() => native.route([0] as unknown as Float32Array), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => native.route(new Float32Array(small.hiddenSize)), 'Error', 'ERR_UNSUPPORTED'],
      [() => native.cancel('1' as unknown as number), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
      [() => new (native.constructor as new () => unknown)(), 'TypeError', 'ERR_INVALID_ARG_TYPE'],
    ];
    for (const [call, name, code] of calls) assert.throws(call, { name, code });
    await native.close();
    assert.throws(() => native.submit('small', ids, null, kOptions), { code: 'ERR_CLOSED' });
    assert.equal(native.cancel(1), false);
    await native.close();
  });
});

/** The configuration that lib/ makes for the embedded small guard. */
async function smallConfig(addon: NativeAddon): Promise<NativeEngineConfig> {
  let seen: NativeEngineConfig | undefined;
  const loadEngine: NativeAddon['loadEngine'] = (config, onEvents) => {
    seen = config;
    return addon.loadEngine(config, onEvents);
  };
  const guard = await openGuard(join(kRoot, 'models/tiny/small'), {}, () => ({ ...addon, loadEngine }));
  await guard.close();
  assert.ok(seen);
  return seen;
}

async function smallEngine(addon: NativeAddon): Promise<NativeEngine> {
  return addon.loadEngine(await smallConfig(addon), () => {});
}

function noSymbols(): string | false {
  if (process.platform !== 'linux') return 'nm reads ELF on Linux';
  return spawnSync('nm', ['--version']).status === 0 ? false : 'there is no nm here';
}
