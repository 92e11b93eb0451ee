/** The command line of `saferoute calibrate`. */

import { parseArgs } from 'node:util';
import type { CalibrateOptions } from '../train/calibrate-options.js';
import { type CalibrationTarget, kCalibratedRules } from '../train/calibration.js';
import { UsageError } from './exit.js';
import { numberIn, oneOf, refuseEmptyPaths } from './flag-values.js';

export const kCalibrateUsage = `Usage: saferoute calibrate --target TARGET [options] FEATURES…

Chooses the threshold at which the small guard's rows go to the large one, from features that saferoute label wrote, and writes it into the
pair's saferoute.json. Of the file that the router was trained on just the rows count that were kept from it, and of rows that are variants
of one another the first.

  --target TARGET         what the threshold is to reach:
                            f1               the best F1 of the pair
                            recall:0.95      the least escalation that finds this share of the unsafe rows
                            escalation:0.2   the best F1 with at most this share escalated, of rows to come too
                            latency:5ms      the best F1 with at most this mean time of a row, of rows to come too
                            gain             the most rows put right: stops where the large guard no longer helps
  --rule RULE             router (default, where there is a router), entropy (default otherwise), entropy+ts, entropy+cc, entropy+bc
  --router FILE           the router; default: the pair's
  --pair DIR              the pair whose saferoute.json is written, or made. Without it nothing is written
  --confidence C          that the rate of rows to come is as promised (default 0.95)
  --balance sources       every source weighs as much as any other, however many rows it has
  --fit FEATURES          fit temperature or prior on these rows instead (may be given several times)
  --latency SMALL:LARGE   median milliseconds of one check by each guard alone, for latency targets
  --evaluation FILE       take those from what saferoute evaluate measured
  --json                  the calibration as JSON on standard output, instead of a table
  -h, --help

Exit code: 0 written, 1 could not be (the message says what can be had instead), 2 wrong command line, 130 interrupted.
`;

export interface CalibrateArguments {
  help: boolean;
  features: string[];
  options: CalibrateOptions;
  /** An evaluation to take the latency from. */
  evaluation: string | null;
  json: boolean;
}

const kOptions = {
  target: { type: 'string' },
  rule: { type: 'string' },
  router: { type: 'string' },
  pair: { type: 'string' },
  confidence: { type: 'string' },
  balance: { type: 'string' },
  fit: { type: 'string', multiple: true },
  latency: { type: 'string' },
  evaluation: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const kMaxMilliseconds = 1e9;

export function parseCalibrateArguments(argv: string[]): CalibrateArguments {
  const { values, positionals } = parseArgs({ args: argv, options: kOptions, allowPositionals: true });
  const { help, json, target, evaluation = null } = values;
  if (help) return { help, features: [], options: { target: { kind: 'f1' } }, evaluation: null, json };
  if (positionals.length === 0) throw new UsageError('calibrate needs features files; try --help');
  if (target === undefined) throw new UsageError('calibrate needs --target; try --help');
  const options: CalibrateOptions = { target: parseTarget(target) };
  refuseEmptyPaths({ router: values.router, pair: values.pair, fit: values.fit, evaluation: values.evaluation });
  if (values.rule !== undefined) options.rule = oneOf('--rule', values.rule, kCalibratedRules);
  if (values.router !== undefined) options.router = values.router;
  if (values.pair !== undefined) options.pair = values.pair;
  if (values.confidence !== undefined) options.confidence = parseConfidence(values.confidence);
  if (values.balance !== undefined) options.balance = oneOf('--balance', values.balance, ['sources']);
  if (values.fit !== undefined) options.fit = values.fit;
  if (values.latency !== undefined) options.latency = parseLatency(values.latency);
  if (values.latency !== undefined && evaluation !== null) {
    throw new UsageError('--latency and --evaluation both say how long the guards take; give one');
  }
  return { help, features: positionals, options, evaluation, json };
}

function parseTarget(text: string): CalibrationTarget {
  const [name = '', number, ...rest] = text.split(':');
  const kind = oneOf('--target', name, ['f1', 'recall', 'escalation', 'latency', 'gain']);
  if (kind === 'f1' || kind === 'gain') {
    if (number !== undefined) throw new UsageError(`--target ${kind} takes no number, got '${text}'`);
    return { kind };
  }
  if (number === undefined || rest.length > 0) {
    throw new UsageError(`--target ${kind} takes one number, such as ${kExamples[kind]}, got '${text}'`);
  }
  if (kind === 'latency') return { kind, atMost: milliseconds('--target latency', number.replace(/ ?ms$/, '')) };
  const share = numberIn(`--target ${kind}`, number, 0, 1);
  if (share === 0) throw new UsageError(`--target ${kind} must be above 0, got '${number}'`);
  return kind === 'recall' ? { kind, atLeast: share } : { kind, atMost: share };
}

const kExamples = { recall: 'recall:0.95', escalation: 'escalation:0.2', latency: 'latency:5ms' };

function parseConfidence(text: string): number {
  const confidence = numberIn('--confidence', text, 0, 1);
  if (confidence === 0 || confidence === 1) throw new UsageError(`--confidence must be between 0 and 1, got '${text}'`);
  return confidence;
}

function parseLatency(text: string): { small: number; large: number } {
  const [small, large, ...rest] = text.split(':');
  if (small === undefined || large === undefined || rest.length > 0) {
    throw new UsageError(`--latency must be SMALL:LARGE in milliseconds, such as 7.5:41, got '${text}'`);
  }
  return { small: milliseconds('--latency', small), large: milliseconds('--latency', large) };
}

function milliseconds(flag: string, text: string): number {
  const value = numberIn(flag, text, 0, kMaxMilliseconds);
  if (value === 0) throw new UsageError(`${flag} must be above 0 milliseconds, got '${text}'`);
  return value;
}
