// What `evaluate` is asked for: names of sets, and errors that name option, value and limit.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { type EvaluateOptions, parseEvaluateOptions } from '../../../lib/train/evaluate-options.js';
import { coded } from '../rejected.js';

const parse = (options: object) => parseEvaluateOptions(options as EvaluateOptions);

describe('the options of evaluate', () => {
  it('name sets for their files, or as they are told', () => {
    const { sets } = parse({ data: ['a/xstest.jsonl', { name: 'mine', path: 'b/features.safetensors' }] });
    assert.deepEqual(sets, [
      { name: 'xstest', path: resolve('a/xstest.jsonl'), kind: 'rows' },
      { name: 'mine', path: resolve('b/features.safetensors'), kind: 'features' },
    ]);
  });

  it('have defaults', () => {
    const { onProgress, signal, sets, ...rest } = parse({ data: ['x.jsonl'] });
    assert.deepEqual(rest, {
      pair: undefined,
      parts: {},
      options: {},
      benefit: null,
      calibration: null,
      work: null,
      latencyPrompts: 100,
      budget: null,
      largeWeight: null,
    });
    assert.equal(onProgress({ stage: 'judge', set: 'x', done: 0, total: 1, secondsLeft: null }), undefined);
  });

  it('give the guards what is said of their loading, and the pair what is said of it', () => {
    const { parts, options } = parse({
      data: ['x.jsonl'],
      small: 's',
      large: 'l',
      unsafeAt: 0.7,
      options: { threads: 1 },
    });
    assert.deepEqual(parts, { threads: 1, small: 's', large: 'l', unsafeAt: 0.7 });
    assert.deepEqual(options, { threads: 1 });
  });

  it('refuse sets of one name', () =>
    assert.throws(
      () => parse({ data: ['a/x.jsonl', 'b/x.safetensors'] }),
      coded('ERR_DATA', "'x'", 'a/x.jsonl', 'name=path'),
    ));

  it('refuse a calibration on rows that are judged', () =>
    assert.throws(
      () => parse({ data: ['a/x.safetensors'], calibration: 'a/../a/x.safetensors' }),
      coded('ERR_DATA', 'x.safetensors', 'never fitted on rows that are judged'),
    ));

  for (const [what, options, code, ...named] of [
    ['no data', { data: [] }, 'ERR_OUT_OF_RANGE', 'options.data', 'at least one'],
    ['data that are no list', { data: 'x.jsonl' }, 'ERR_INVALID_ARG_TYPE', 'options.data', "'x.jsonl'"],
    ['a file of no known kind', { data: ['x.csv'] }, 'ERR_DATA', 'x.csv', "'.csv'"],
    ['a set without a name', { data: [{ path: 'x.jsonl' }] }, 'ERR_INVALID_ARG_TYPE', 'options.data[0].name'],
    ['a number for a path', { data: [7] }, 'ERR_INVALID_ARG_TYPE', 'options.data[0]', '7'],
    ['an unknown option', { data: ['x.jsonl'], calibrate: 'y' }, 'ERR_INVALID_ARG_TYPE', 'calibrate', 'calibration'],
    [
      'an unknown option of guards',
      { data: ['x.jsonl'], options: { escalation: {} } },
      'ERR_INVALID_ARG_TYPE',
      'escalation',
    ],
    ['a share above 1', { data: ['x.jsonl'], budget: 1.5 }, 'ERR_OUT_OF_RANGE', 'options.budget', '1.5'],
    [
      'a weight that is no number',
      { data: ['x.jsonl'], largeWeight: Number.NaN },
      'ERR_OUT_OF_RANGE',
      'options.largeWeight',
      'NaN',
    ],
    [
      'part of a prompt',
      { data: ['x.jsonl'], latencyPrompts: 2.5 },
      'ERR_OUT_OF_RANGE',
      'options.latencyPrompts',
      '2.5',
    ],
    ['an empty path', { data: ['x.jsonl'], work: '' }, 'ERR_OUT_OF_RANGE', 'options.work'],
    ['a cut above 1', { data: ['x.jsonl'], unsafeAt: 2 }, 'ERR_OUT_OF_RANGE', 'options.unsafeAt', '2'],
    ['a signal that is none', { data: ['x.jsonl'], signal: {} }, 'ERR_INVALID_ARG_TYPE', 'options.signal'],
    [
      'progress told to no function',
      { data: ['x.jsonl'], onProgress: 1 },
      'ERR_INVALID_ARG_TYPE',
      'options.onProgress',
    ],
  ] as const) {
    it(`refuse ${what}`, () => assert.throws(() => parse(options), coded(code, ...named)));
  }
});
