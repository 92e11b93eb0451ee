import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../../lib/cli/exit.js';
import { parseReportArguments } from '../../../lib/cli/report-arguments.js';

describe('parseReportArguments', () => {
  it('reads every flag, and passes on only what is named', () => {
    assert.deepEqual(parseReportArguments(['e.json', '-o', 'r.html']), {
      help: false,
      evaluation: 'e.json',
      options: { output: 'r.html' },
    });
    const { options } = parseReportArguments([
      '--svg',
      'charts',
      '--texts',
      'rows.jsonl',
      '--texts',
      'more.jsonl',
      '--output',
      'r.html',
      'e.json',
    ]);
    assert.deepEqual(options, { output: 'r.html', svg: 'charts', texts: ['rows.jsonl', 'more.jsonl'] });
    assert.equal(parseReportArguments(['--help']).help, true);
  });

  it('refuses a line that makes no sense, naming what is wrong', () => {
    const wrong = (argv: string[], message: RegExp) =>
      assert.throws(
        () => parseReportArguments(argv),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    wrong(['-o', 'r.html'], /one evaluation, got 0/);
    wrong(['a.json', 'b.json', '-o', 'r.html'], /one evaluation, got 2/);
    wrong(['a.json'], /needs -o FILE/);
    wrong(['a.json', '-o', ''], /--output must be a path, got ''/);
    wrong(['a.json', '-o', 'r.html', '--svg', ''], /--svg must be a path, got ''/);
    wrong(['a.json', '-o', 'r.html', '--texts', 'a', '--texts', ''], /--texts must be a path, got ''/);
    assert.throws(() => parseReportArguments(['a.json', '--open']), /--open/);
  });
});
