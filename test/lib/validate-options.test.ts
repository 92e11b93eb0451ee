// Every option: its default, its range, and what is said when it is wrong.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kNoValves } from '../../lib/escalation-settings.js';
import { parseGuardOptions, parsePairOptions } from '../../lib/validate-options.js';
import { coded } from './rejected.js';

const refuses = (options: unknown, code: string, ...named: string[]) =>
  assert.throws(() => parsePairOptions(options), coded(code, ...named));

describe('options', () => {
  it('have defaults', () => {
    const defaults = {
      guard: null,
      specialTokens: 'text',
      overlong: 'error',
      inputBytes: 1048576,
      queueRequests: 1024,
      batchTokens: 1024,
      batchRows: 256,
      batchMs: 250,
      maxWaitMs: 100,
      device: 'cpu',
      precision: 'int8',
      cacheDir: undefined,
      memoryLimit: 0,
      kvBytes: 268435456,
      gpuLimit: { bytes: 0, fraction: 0 },
      threads: 0,
    };
    assert.deepEqual(parseGuardOptions(undefined), defaults);
    assert.deepEqual(parseGuardOptions({ device: 'cpu', precision: 'auto' }), defaults);
    assert.deepEqual(parseGuardOptions({ device: 'auto' }), { ...defaults, device: 'auto' });
    assert.deepEqual(parseGuardOptions({ precision: 'f32' }), { ...defaults, device: 'cpu', precision: 'f32' });
    assert.deepEqual(parsePairOptions({}), {
      ...defaults,
      small: undefined,
      large: undefined,
      router: undefined,
      escalation: undefined,
      unsafeAt: undefined,
      valves: kNoValves,
    });
  });

  it('are all taken over', () => {
    const settings = parsePairOptions({
      small: 'a',
      large: { dir: 'b', guard: 'llama-guard-3' },
      router: 'c',
      escalation: { kind: 'random', rate: 0.2, seed: 7 },
      unsafeAt: 0,
      guard: { verdict: { safe: 1, unsafe: 2 } },
      device: 'cpu',
      precision: 'int8',
      cacheDir: 'd',
      specialTokens: 'parse',
      overlong: 'truncate',
      limits: { inputBytes: 5, queueRequests: 6 },
      batch: { tokens: 7, rows: 8, ms: 11, maxWait: 0 },
      memory: { limit: 9, kv: 12, gpu: 13 },
      threads: 10,
    });
    assert.deepEqual(settings, {
      small: { dir: 'a', guard: null },
      large: { dir: 'b', guard: { family: 'llama-guard-3' } },
      router: 'c',
      escalation: { kind: 'random', rate: 0.2, seed: 7 },
      unsafeAt: 0,
      valves: kNoValves,
      guard: { verdict: { safe: [1], unsafe: [2] } },
      specialTokens: 'parse',
      overlong: 'truncate',
      inputBytes: 5,
      queueRequests: 6,
      batchTokens: 7,
      batchRows: 8,
      batchMs: 11,
      maxWaitMs: 0,
      device: 'cpu',
      precision: 'int8',
      cacheDir: 'd',
      memoryLimit: 9,
      kvBytes: 12,
      gpuLimit: { bytes: 13, fraction: 0 },
      threads: 10,
    });
    assert.deepEqual(
      [parsePairOptions({ large: null }).large, parsePairOptions({ router: null }).router],
      [null, null],
    );
    assert.equal(parsePairOptions({ cacheDir: null }).cacheDir, null);
    assert.deepEqual(
      [parsePairOptions({ batch: { maxWait: 7 } }).maxWaitMs, parsePairOptions({ memory: { kv: 7 } }).memoryLimit],
      [7, 0],
    );
  });

  it('that nobody knows are errors, and name the one that was meant', () => {
    refuses({ treads: 2 }, 'ERR_INVALID_ARG_TYPE', "'treads'", "did you mean 'threads'");
    refuses({ limits: { inputByte: 2 } }, 'ERR_INVALID_ARG_TYPE', 'options.limits', "did you mean 'inputBytes'");
    refuses({ batch: { maxwait: 2 } }, 'ERR_INVALID_ARG_TYPE', 'options.batch', "did you mean 'maxWait'");
    refuses({ cachedir: 'x' }, 'ERR_INVALID_ARG_TYPE', "did you mean 'cacheDir'");
    refuses({ escalation: { kind: 'router', treshold: 0.5 } }, 'ERR_INVALID_ARG_TYPE', "did you mean 'threshold'");
    refuses({ escalation: { kind: 'always', threshold: 0.5 } }, 'ERR_INVALID_ARG_TYPE', "'threshold'");
    refuses({ small: { directory: 'x' } }, 'ERR_INVALID_ARG_TYPE', 'options.small', "'directory'");
    assert.throws(() => parseGuardOptions({ router: 'x' }), coded('ERR_INVALID_ARG_TYPE', "'router'"));
  });

  it('of the wrong type are TypeErrors that name option and value', () => {
    refuses(5, 'ERR_INVALID_ARG_TYPE', 'options', '5');
    refuses([], 'ERR_INVALID_ARG_TYPE', 'options');
    refuses({ limits: 5 }, 'ERR_INVALID_ARG_TYPE', 'options.limits');
    refuses({ threads: '2' }, 'ERR_INVALID_ARG_TYPE', 'options.threads', "'2'");
    refuses({ unsafeAt: '0.5' }, 'ERR_INVALID_ARG_TYPE', 'options.unsafeAt');
    refuses({ router: 5 }, 'ERR_INVALID_ARG_TYPE', 'options.router');
    refuses({ small: null }, 'ERR_INVALID_ARG_TYPE', 'options.small');
    refuses({ small: {} }, 'ERR_INVALID_ARG_TYPE', 'options.small.dir');
    refuses({ escalation: 'router' }, 'ERR_INVALID_ARG_TYPE', 'options.escalation');
    refuses({ escalation: {} }, 'ERR_INVALID_ARG_TYPE', 'options.escalation.kind');
    refuses({ guard: 'llama-guard' }, 'ERR_INVALID_ARG_TYPE', 'options.guard', "'llama-guard'", "'llama-guard-3'");
    refuses({ device: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.device');
    refuses({ precision: 8 }, 'ERR_INVALID_ARG_TYPE', 'options.precision', '8', "'int8'");
    refuses({ cacheDir: true }, 'ERR_INVALID_ARG_TYPE', 'options.cacheDir', 'true');
    refuses({ memory: { kv: '1 GiB' } }, 'ERR_INVALID_ARG_TYPE', 'options.memory.kv', "'1 GiB'");
    refuses({ batch: { maxWait: null } }, 'ERR_INVALID_ARG_TYPE', 'options.batch.maxWait', 'null');
  });

  it('outside their range are RangeErrors that name option, value and range', () => {
    for (const threads of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1025]) {
      refuses({ threads }, 'ERR_OUT_OF_RANGE', 'options.threads', `${threads}`, '1 to 1024');
    }
    for (const unsafeAt of [-0.1, 1.1, Number.NaN])
      refuses({ unsafeAt }, 'ERR_OUT_OF_RANGE', 'options.unsafeAt', '0 to 1');
    refuses({ batch: { tokens: 2 ** 31 } }, 'ERR_OUT_OF_RANGE', 'options.batch.tokens');
    refuses({ memory: { limit: 0 } }, 'ERR_OUT_OF_RANGE', 'options.memory.limit');
    refuses({ memory: { kv: 0 } }, 'ERR_OUT_OF_RANGE', 'options.memory.kv', '0', `1 to ${Number.MAX_SAFE_INTEGER}`);
    refuses({ batch: { ms: 0 } }, 'ERR_OUT_OF_RANGE', 'options.batch.ms', '0', `1 to ${2 ** 31 - 1}`);
    refuses({ batch: { maxWait: -1 } }, 'ERR_OUT_OF_RANGE', 'options.batch.maxWait', '-1', `0 to ${2 ** 31 - 1}`);
    refuses({ batch: { maxWait: 0.5 } }, 'ERR_OUT_OF_RANGE', 'options.batch.maxWait', '0.5');
    refuses({ precision: 'int4' }, 'ERR_OUT_OF_RANGE', 'options.precision', "'int4'", "'f32'");
    refuses({ cacheDir: '' }, 'ERR_OUT_OF_RANGE', 'options.cacheDir');
    refuses({ overlong: 'cut' }, 'ERR_OUT_OF_RANGE', 'options.overlong', "'cut'", "'truncate'");
    refuses({ escalation: { kind: 'sometimes' } }, 'ERR_OUT_OF_RANGE', "'sometimes'", "'entropy'");
    refuses(
      { escalation: { kind: 'entropy', threshold: 1.5 } },
      'ERR_OUT_OF_RANGE',
      'options.escalation.threshold',
      '1.5',
    );
    refuses({ escalation: { kind: 'random', seed: -1 } }, 'ERR_OUT_OF_RANGE', 'options.escalation.seed');
    refuses({ small: '' }, 'ERR_OUT_OF_RANGE', 'options.small');
    refuses({ router: 'a\0b' }, 'ERR_OUT_OF_RANGE', 'options.router');
  });

  it('of device and precision decide for each other, or contradict each other', () => {
    const settled = (options: object) => {
      const { device, precision } = parseGuardOptions(options);
      return [device, precision];
    };
    assert.deepEqual(settled({ device: 'cuda' }), ['cuda', 'bf16']);
    assert.deepEqual(settled({ device: 'cpu' }), ['cpu', 'int8']);
    assert.deepEqual(settled({ precision: 'int8' }), ['cpu', 'int8']);
    assert.deepEqual(settled({ device: 'auto', precision: 'fp8' }), ['cuda', 'fp8']);
    assert.deepEqual(settled({ device: 'cuda', precision: 'fp8' }), ['cuda', 'fp8']);
    refuses({ device: 'cuda', precision: 'int8' }, 'ERR_UNSUPPORTED', "'int8'", "'cuda'", 'bf16, fp8');
    refuses({ device: 'cpu', precision: 'bf16' }, 'ERR_UNSUPPORTED', "'bf16'", "'cpu'", 'int8, f32');
    refuses({ device: 'tpu' }, 'ERR_OUT_OF_RANGE', "'tpu'");
  });

  it('of GPU memory are a share up to 1, or bytes', () => {
    const limit = (gpu: unknown) => parseGuardOptions({ memory: { gpu } }).gpuLimit;
    assert.deepEqual(limit(0.25), { bytes: 0, fraction: 0.25 });
    assert.deepEqual(limit(1), { bytes: 0, fraction: 1 });
    assert.deepEqual(limit(2 ** 34), { bytes: 2 ** 34, fraction: 0 });
    for (const wrong of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      refuses({ memory: { gpu: wrong } }, 'ERR_OUT_OF_RANGE', 'options.memory.gpu', String(wrong));
    refuses({ memory: { gpu: '1GiB' } }, 'ERR_INVALID_ARG_TYPE', 'options.memory.gpu');
  });

  it('keep nothing of the caller: later changes change nothing', () => {
    const escalation = { kind: 'random' as const, rate: 0.5 };
    const settings = parsePairOptions({ escalation });
    escalation.rate = 1;
    assert.deepEqual(settings.escalation, { kind: 'random', rate: 0.5 });
  });
});
