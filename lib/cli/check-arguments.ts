/** The command line of `saferoute check`: flags to plain options, and the text that explains them. */

import { parseArgs } from 'node:util';
import { kPerSecond, kTemperature } from '../escalation-settings.js';
import type { EntropyCalibration, Escalation, PairOptions } from '../options.js';
import { UsageError } from './exit.js';
import { numberIn, oneOf, refuseEmptyPaths, wholeNumberIn } from './flag-values.js';
import { guardOptions, kGuardFlags, kGuardFlagsUsage, kPairFlags, kPairFlagsUsage } from './guard-flags.js';
import type { LineFormat } from './records.js';

export const kCheckUsage = `Usage: saferoute check [options] [FILE…]

Reads one message per line from the files, or from standard input, and writes one JSON verdict per line as it finishes.
A line is plain text (one user prompt) or a JSON object: {"prompt", "response"?, "rules"?} or {"messages", "rules"?}, with an optional "id".
Blank lines are skipped. A line that gets no verdict becomes {"id", "error": {"code", "message"}} and the rest goes on.

Which guards (default: the pair that comes with the package)
${kPairFlagsUsage}
  --escalation RULE       who goes to the large guard: router[:0.5], entropy[:0.5] (bits), budget:0.2 (the hardest fifth), random[:0.2],
                          always, never
  --calibration KIND:N    of the entropy rule: temperature:1.5, or contextual:0.3 or batch:0.3 (the prior of unsafe)

Around the rule
  --audit RATE            the large guard also reads this share of what the rule finds easy
  --cap N                 escalations per second; one more keeps the small guard's verdict, or with N:error gets an error
  --shadow                decide who would go to the large guard, and ask it nothing
  --ensemble WEIGHT       judge by both guards' logits, the large one's with this weight, where both have read a line

How
  --format FORMAT         auto (default: a line that starts like a JSON object is one), text, json
  --ordered               write in the order of the input instead of as they finish
  --unsafe-at SCORE       label as unsafe above this score (default 0.5)
  --max-wait MS           how long a hard line waits for others to share the large guard's batch with (default 100)
${kGuardFlagsUsage}
  -h, --help

Exit code: 0 all lines got a verdict, 1 could not go on, 2 wrong command line, 3 some lines got an error, 130 interrupted.
`;

export interface CheckArguments {
  help: boolean;
  files: string[];
  /** A pair's folder; null for the embedded pair or the parts that `options` names. */
  pair: string | null;
  /** Only what the command line names. */
  options: PairOptions;
  format: LineFormat;
  ordered: boolean;
}

const kOptions = {
  ...kPairFlags,
  escalation: { type: 'string' },
  calibration: { type: 'string' },
  audit: { type: 'string' },
  cap: { type: 'string' },
  shadow: { type: 'boolean', default: false },
  ensemble: { type: 'string' },
  format: { type: 'string', default: 'auto' },
  ordered: { type: 'boolean', default: false },
  'unsafe-at': { type: 'string' },
  'max-wait': { type: 'string' },
  ...kGuardFlags,
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const kMaxMilliseconds = 2 ** 31 - 1;

type Values = ReturnType<typeof parse>['values'];

export function parseCheckArguments(argv: string[]): CheckArguments {
  const { values, positionals } = parse(argv);
  const { pair = null, help, ordered } = values;
  return {
    help,
    files: positionals,
    pair,
    options: pairOptions(values),
    format: oneOf('--format', values.format, ['auto', 'text', 'json']),
    ordered,
  };
}

function parse(argv: string[]) {
  return parseArgs({ args: argv, options: kOptions, allowPositionals: true });
}

function pairOptions(values: Values): PairOptions {
  const { pair, small, large, router } = values;
  refuseEmptyPaths({ pair, small, large, router });
  const parts = small ?? large ?? router;
  if (pair !== undefined && parts !== undefined) {
    throw new UsageError('--pair says all; it does not go with --small, --large or --router');
  }
  if (parts !== undefined && small === undefined) throw new UsageError('--large and --router need --small beside them');
  const options: PairOptions = guardOptions(values);
  if (small !== undefined) Object.assign(options, { small, large: large ?? null, router: router ?? null });
  Object.assign(options, escalationOptions(values));
  if (values['unsafe-at'] !== undefined) options.unsafeAt = numberIn('--unsafe-at', values['unsafe-at'], 0, 1);
  const maxWait = values['max-wait'];
  if (maxWait !== undefined) options.batch = { maxWait: wholeNumberIn('--max-wait', maxWait, 0, kMaxMilliseconds) };
  return options;
}

function escalationOptions({ escalation, calibration, audit, cap, shadow, ensemble }: Values): PairOptions {
  const options: PairOptions = {};
  if (escalation !== undefined) options.escalation = rule(escalation);
  if (calibration !== undefined) {
    if (options.escalation?.kind !== 'entropy')
      throw new UsageError('--calibration needs --escalation entropy beside it');
    options.escalation.calibration = entropyCalibration(calibration);
  }
  if (audit !== undefined) options.audit = { rate: numberIn('--audit', audit, 0, 1) };
  if (cap !== undefined) {
    const [perSecond = '', otherwise = 'small', ...rest] = cap.split(':');
    if (rest.length > 0) throw new UsageError(`--cap must be N, N:small or N:error, got '${cap}'`);
    options.cap = {
      perSecond: numberIn('--cap', perSecond, kPerSecond.min, kPerSecond.max),
      otherwise: oneOf('--cap N', otherwise, ['small', 'error']),
    };
  }
  if (shadow) options.shadow = true;
  if (ensemble !== undefined)
    options.combine = { kind: 'ensemble', largeWeight: numberIn('--ensemble', ensemble, 0, 1) };
  return options;
}

function entropyCalibration(text: string): EntropyCalibration {
  const [name = '', number = '', ...rest] = text.split(':');
  const kind = oneOf('--calibration', name, ['temperature', 'contextual', 'batch']);
  if (rest.length > 0) throw new UsageError(`--calibration must be KIND:NUMBER, got '${text}'`);
  const flag = `--calibration ${kind}`;
  if (kind === 'temperature') return { kind, temperature: numberIn(flag, number, kTemperature.min, kTemperature.max) };
  const prior = numberIn(flag, number, 0, 1);
  if (prior === 0 || prior === 1) throw new UsageError(`${flag} must be between 0 and 1, got '${number}'`);
  return { kind, prior };
}

function rule(text: string): Escalation {
  const [name = '', number, ...rest] = text.split(':');
  const kind = oneOf('--escalation', name, ['router', 'entropy', 'budget', 'random', 'always', 'never']);
  if (rest.length > 0) throw new UsageError(`--escalation must be RULE or RULE:NUMBER, got '${text}'`);
  if (kind === 'always' || kind === 'never') {
    if (number !== undefined) throw new UsageError(`--escalation ${kind} takes no number, got '${text}'`);
    return { kind };
  }
  if (number === undefined && kind !== 'budget') return { kind };
  const share = numberIn(`--escalation ${kind}`, number ?? '', 0, 1);
  if (kind === 'budget') return { kind, share };
  return kind === 'random' ? { kind, rate: share } : { kind, threshold: share };
}
