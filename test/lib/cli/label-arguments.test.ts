import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseLabelArguments } from '../../../lib/cli/label-arguments.js';

const parse = (line: string) => parseLabelArguments(line.split(' '));

describe('parseLabelArguments', () => {
  it('reads files, output, guards and how they are loaded', () => {
    assert.deepEqual(parse('a.jsonl b.jsonl -o f'), {
      help: false,
      request: { data: ['a.jsonl', 'b.jsonl'], output: 'f', options: {} },
    });
    assert.deepEqual(parse('a --output f --small s --large l --precision f32 --threads 2 --overlong truncate'), {
      help: false,
      request: {
        small: 's',
        large: 'l',
        data: ['a'],
        output: 'f',
        options: { precision: 'f32', threads: 2, overlong: 'truncate' },
      },
    });
    assert.deepEqual(parse('a -o f --pair p'), {
      help: false,
      request: { pair: 'p', data: ['a'], output: 'f', options: {} },
    });
    assert.deepEqual(parse('--help'), { help: true });
  });

  it('refuses what makes no sense', () => {
    for (const [line, named] of [
      ['-o f', 'at least one file'],
      ['a', '-o FEATURES'],
      ['a -o f --small s', '--small and --large go together'],
      ['a -o f --pair p --small s --large l', '--pair says all'],
      ['a -o f --pair=', "--pair must be a path, got ''"],
      ['a -o f --precision f64', '--precision must be one of auto, int8, f32'],
      ['a -o f --router r', "Unknown option '--router'"],
    ] as const) {
      assert.throws(
        () => parse(line),
        (error: Error) => error.message.includes(named),
        line,
      );
    }
  });
});
