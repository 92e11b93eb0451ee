import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCalibrateArguments } from '../../../lib/cli/calibrate-arguments.js';
import { UsageError } from '../../../lib/cli/exit.js';

const parse = (line: string) => parseCalibrateArguments(line.split(' '));

describe('parseCalibrateArguments', () => {
  it('needs features and a target, and asks for nothing else', () => {
    assert.deepEqual(parse('--target f1 a.safetensors b.safetensors'), {
      help: false,
      features: ['a.safetensors', 'b.safetensors'],
      options: { target: { kind: 'f1' } },
      evaluation: null,
      json: false,
    });
    assert.equal(parse('-h').help, true);
  });

  it('reads every target', () => {
    const targetOf = (text: string) => parseCalibrateArguments(['f', '--target', text]).options.target;
    assert.deepEqual(targetOf('gain'), { kind: 'gain' });
    assert.deepEqual(targetOf('recall:0.95'), { kind: 'recall', atLeast: 0.95 });
    assert.deepEqual(targetOf('escalation:0.2'), { kind: 'escalation', atMost: 0.2 });
    for (const text of ['latency:5ms', 'latency:5 ms', 'latency:5']) {
      assert.deepEqual(targetOf(text), { kind: 'latency', atMost: 5 });
    }
  });

  it('reads every flag', () => {
    const flags =
      '--target f1 --rule entropy+bc --router r --pair p --confidence 0.9 --balance sources --fit f --fit g --latency 7.5:41 --json x';
    const { options, json, features } = parse(flags);
    assert.deepEqual(options, {
      target: { kind: 'f1' },
      rule: 'entropy+bc',
      router: 'r',
      pair: 'p',
      confidence: 0.9,
      balance: 'sources',
      fit: ['f', 'g'],
      latency: { small: 7.5, large: 41 },
    });
    assert.deepEqual([json, features], [true, ['x']]);
    assert.equal(parse('--target f1 --evaluation e.json x').evaluation, 'e.json');
  });

  it('names what is wrong, and what may stand there', () => {
    const refused = (line: string, ...named: string[]) =>
      assert.throws(
        () => parse(line),
        (error) => error instanceof UsageError && named.every((part) => error.message.includes(part)),
        line,
      );
    refused('--target f1', 'features');
    refused('x', '--target');
    refused('x --target best', 'best', 'recall', 'gain');
    refused('x --target f1:0.5', 'no number', 'f1:0.5');
    refused('x --target recall', 'recall:0.95');
    refused('x --target escalation:0.2:0.3', 'escalation:0.2');
    refused('x --target recall:1.2', '1.2', 'from 0 to 1');
    refused('x --target escalation:0', 'above 0');
    refused('x --target latency:fastms', 'fast');
    refused('x --target latency:0ms', 'above 0');
    refused('x --target f1 --rule random', '--rule', 'entropy+ts', 'random');
    refused('x --target f1 --confidence 1', '--confidence', 'between 0 and 1');
    refused('x --target f1 --balance rows', '--balance', 'sources', 'rows');
    refused('x --target f1 --latency 7', '--latency', 'SMALL:LARGE');
    refused('x --target f1 --latency 7:0', '--latency', '0');
    refused('x --target f1 --latency 7:8 --evaluation e', '--latency', '--evaluation');
    assert.throws(() => parseCalibrateArguments(['x', '--target', 'f1', '--pair', '']), UsageError);
  });
});
