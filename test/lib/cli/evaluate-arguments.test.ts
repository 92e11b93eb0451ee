import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { progressText } from '../../../lib/cli/evaluate.js';
import { parseEvaluateArguments } from '../../../lib/cli/evaluate-arguments.js';
import { UsageError } from '../../../lib/cli/exit.js';

describe('the command line of evaluate', () => {
  it('names the pair, the sets and what is judged', () => {
    const { help, output, options } = parseEvaluateArguments([
      ...['--pair', 'pairs/mine', '--benefit', 'b.safetensors', '--calibration', 'c.safetensors', '--work', 'w'],
      ...['--budget', '0.1', '--large-weight', '0.8', '--unsafe-at', '0.6', '--latency', '20', '--threads', '2'],
      ...['-o', 'out.json', 'a.jsonl', 'mine=sets/b=2.safetensors', './c=3.jsonl'],
    ]);
    assert.deepEqual([help, output], [false, 'out.json']);
    assert.deepEqual(options, {
      pair: 'pairs/mine',
      benefit: 'b.safetensors',
      calibration: 'c.safetensors',
      work: 'w',
      budget: 0.1,
      largeWeight: 0.8,
      unsafeAt: 0.6,
      latencyPrompts: 20,
      options: { threads: 2 },
      data: ['a.jsonl', { name: 'mine', path: 'sets/b=2.safetensors' }, './c=3.jsonl'],
    });
  });

  it('takes a pair in its parts, and the embedded one without any', () => {
    const parts = parseEvaluateArguments(['--small', 's', '--large', 'l', '--router', 'r.pt', 'x.jsonl']).options;
    assert.deepEqual(parts, { small: 's', large: 'l', router: 'r.pt', options: {}, data: ['x.jsonl'] });
    assert.deepEqual(parseEvaluateArguments(['x.jsonl']).options, { options: {}, data: ['x.jsonl'] });
    const another = parseEvaluateArguments(['--pair', 'p', '--router', 'r.pt', 'x.jsonl']).options;
    assert.deepEqual([another.pair, another.router], ['p', 'r.pt']);
  });

  it('times nothing where told so', () =>
    assert.equal(parseEvaluateArguments(['--no-latency', 'x.jsonl']).options.latencyPrompts, 0));

  it('helps before it asks for anything', () => assert.equal(parseEvaluateArguments(['--help']).help, true));

  for (const [what, argv, ...named] of [
    ['no data', [], 'DATA'],
    ['a set without a file', ['mine='], "'mine='"],
    ['a pair and its parts', ['--pair', 'p', '--small', 's', '--large', 'l', 'x.jsonl'], '--pair', '--small'],
    ['one guard alone', ['--small', 's', 'x.jsonl'], '--small and --large'],
    ['a share above 1', ['--budget', '20', 'x.jsonl'], '--budget', "'20'", 'from 0 to 1'],
    ['no prompt to time', ['--latency', '0', 'x.jsonl'], '--latency', "'0'"],
    ['latency and none', ['--latency', '5', '--no-latency', 'x.jsonl'], '--no-latency'],
    ['an empty path', ['--work', '', 'x.jsonl'], '--work'],
  ] as const) {
    it(`refuses ${what}`, () =>
      assert.throws(
        () => parseEvaluateArguments([...argv]),
        (error) => error instanceof UsageError && named.every((part) => error.message.includes(part)),
      ));
  }
});

describe('the progress of evaluate', () => {
  it('says what is done, of how many, and how long the rest takes', () => {
    const report = { stage: 'label', set: 'xstest', done: 1200, total: 4500, secondsLeft: 61.2 } as const;
    assert.equal(progressText(report), 'labelling xstest · 1,200 of 4,500 · 2 min left');
    assert.equal(progressText({ ...report, total: null, secondsLeft: null }), 'labelling xstest · 1,200');
  });
});
