import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCheckArguments } from '../../../lib/cli/check-arguments.js';

describe('parseCheckArguments', () => {
  it('asks for the embedded pair and nothing else by default', () => {
    assert.deepEqual(parseCheckArguments([]), {
      help: false,
      files: [],
      pair: null,
      options: {},
      format: 'auto',
      ordered: false,
    });
  });

  it('reads every flag', () => {
    const flags =
      '--small s --large l --router r --escalation entropy:0.4 --unsafe-at 0.7 --overlong truncate --threads 2';
    const args = parseCheckArguments([...flags.split(' '), '--format', 'json', '--ordered', 'a.jsonl', 'b.txt']);
    assert.deepEqual(args.options, {
      small: 's',
      large: 'l',
      router: 'r',
      escalation: { kind: 'entropy', threshold: 0.4 },
      unsafeAt: 0.7,
      overlong: 'truncate',
      threads: 2,
    });
    assert.deepEqual([args.files, args.format, args.ordered], [['a.jsonl', 'b.txt'], 'json', true]);
    assert.equal(parseCheckArguments(['--pair', 'dir']).pair, 'dir');
    assert.equal(parseCheckArguments(['-h']).help, true);
  });

  it('reads the flags of precision, memory and time', () => {
    const options = (flags: string) => parseCheckArguments(flags.split(' ')).options;
    assert.deepEqual(options('--precision f32 --kv 512MiB --max-wait 0 --cache-dir d'), {
      precision: 'f32',
      memory: { kv: 536870912 },
      batch: { maxWait: 0 },
      cacheDir: 'd',
    });
    assert.deepEqual(options('--no-cache'), { cacheDir: null });
    const sizes = ['1', '100B', '2KiB', '1.5 GiB'].map(
      (size) => parseCheckArguments(['--kv', size]).options.memory?.kv,
    );
    assert.deepEqual(sizes, [1, 100, 2048, 1610612736]);
  });

  it('takes a small guard alone as one without a large guard', () => {
    assert.deepEqual(parseCheckArguments(['--small', 's']).options, { small: 's', large: null, router: null });
  });

  it('reads every escalation rule, with and without its number', () => {
    const rule = (text: string) => parseCheckArguments(['--escalation', text]).options.escalation;
    assert.deepEqual(rule('router'), { kind: 'router' });
    assert.deepEqual(rule('router:0.6'), { kind: 'router', threshold: 0.6 });
    assert.deepEqual(rule('entropy:0'), { kind: 'entropy', threshold: 0 });
    assert.deepEqual(rule('random:0.2'), { kind: 'random', rate: 0.2 });
    assert.deepEqual(rule('budget:0.2'), { kind: 'budget', share: 0.2 });
    assert.deepEqual(rule('always'), { kind: 'always' });
    assert.deepEqual(rule('never'), { kind: 'never' });
  });

  it('reads the calibration of the entropy, and what stands around the rule', () => {
    const options = (flags: string) => parseCheckArguments(flags.split(' ')).options;
    assert.deepEqual(options('--escalation entropy:0.4 --calibration temperature:1.5').escalation, {
      kind: 'entropy',
      threshold: 0.4,
      calibration: { kind: 'temperature', temperature: 1.5 },
    });
    assert.deepEqual(options('--escalation entropy --calibration batch:0.3').escalation, {
      kind: 'entropy',
      calibration: { kind: 'batch', prior: 0.3 },
    });
    assert.deepEqual(options('--audit 0.01 --cap 5:error --shadow --ensemble 0.7'), {
      audit: { rate: 0.01 },
      cap: { perSecond: 5, otherwise: 'error' },
      shadow: true,
      combine: { kind: 'ensemble', largeWeight: 0.7 },
    });
    assert.deepEqual(options('--cap 0.5').cap, { perSecond: 0.5, otherwise: 'small' });
  });

  const wrong: [string[], RegExp][] = [
    [['--pair', 'p', '--small', 's'], /--pair says all/],
    [['--pair='], /--pair must be a path, got ''/],
    [['--small', 's', '--router='], /--router must be a path, got ''/],
    [['--large', 'l'], /need --small/],
    [['--router', 'r'], /need --small/],
    [['--escalation', 'sometimes'], /--escalation must be one of router, .*, got 'sometimes'/],
    [['--escalation', 'router:1.5'], /--escalation router must be a number from 0 to 1, got '1.5'/],
    [['--escalation', 'router:'], /must be a number from 0 to 1, got ''/],
    [['--escalation', 'always:1'], /takes no number/],
    [['--escalation', 'random:0.1:2'], /RULE or RULE:NUMBER/],
    [['--escalation', 'budget'], /--escalation budget must be a number from 0 to 1, got ''/],
    [['--calibration', 'temperature:1'], /--calibration needs --escalation entropy/],
    [['--escalation', 'router', '--calibration', 'batch:0.3'], /--calibration needs --escalation entropy/],
    [
      ['--escalation', 'entropy', '--calibration', 'platt:1'],
      /--calibration must be one of temperature, .*, got 'platt'/,
    ],
    [['--escalation', 'entropy', '--calibration', 'temperature:0'], /from 0\.001 to 1000, got '0'/],
    [['--escalation', 'entropy', '--calibration', 'batch:1'], /between 0 and 1, got '1'/],
    [['--escalation', 'entropy', '--calibration', 'batch'], /--calibration batch must be a number from 0 to 1, got ''/],
    [['--escalation', 'entropy', '--calibration', 'batch:1:2'], /KIND:NUMBER, got 'batch:1:2'/],
    [['--audit', '1.5'], /--audit must be a number from 0 to 1, got '1\.5'/],
    [['--cap', '0'], /--cap must be a number from 0\.001 to 1000000, got '0'/],
    [['--cap', '5:drop'], /--cap N must be one of small, error, got 'drop'/],
    [['--cap', '5:error:6'], /--cap must be N, N:small or N:error, got '5:error:6'/],
    [['--ensemble', 'x'], /--ensemble must be a number from 0 to 1, got 'x'/],
    [['--unsafe-at', 'NaN'], /--unsafe-at must be a number from 0 to 1, got 'NaN'/],
    [['--threads', '0'], /--threads must be a number from 1 to 1024, got '0'/],
    [['--threads', '1.5'], /--threads must be a whole number/],
    [['--overlong', 'cut'], /--overlong must be one of error, truncate, got 'cut'/],
    [['--precision', 'int4'], /--precision must be one of auto, int8, f32, bf16, fp8, got 'int4'/],
    [['--kv', '0'], /--kv must be a size of at least 1 byte such as 512MiB, got '0'/],
    [['--kv', '1GB'], /--kv must be a size .*, got '1GB'/],
    [['--kv', '1.5B'], /--kv must be a size .*, got '1.5B'/],
    [['--kv', 'lots'], /--kv must be a size .*, got 'lots'/],
    [['--max-wait', '-1'], /argument is ambiguous/],
    [['--max-wait=-1'], /--max-wait must be a number from 0 to 2147483647, got '-1'/],
    [['--max-wait', '0.5'], /--max-wait must be a whole number/],
    [['--cache-dir', 'd', '--no-cache'], /contradict/],
    [['--cache-dir='], /--cache-dir must be a directory, got ''/],
    [['--format', 'csv'], /--format must be one of auto, text, json, got 'csv'/],
    [['--treshold', '1'], /Unknown option '--treshold'/],
    [['--small'], /argument missing/],
  ];
  for (const [argv, message] of wrong) {
    it(`refuses ${argv.join(' ')}`, () => assert.throws(() => parseCheckArguments(argv), message));
  }
});
