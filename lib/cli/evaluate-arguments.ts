/** The command line of `saferoute evaluate`. */

import { parseArgs } from 'node:util';
import type { EvaluateOptions, EvaluationData } from '../train/evaluate-options.js';
import { UsageError } from './exit.js';
import { numberIn, refuseEmptyPaths, wholeNumberIn } from './flag-values.js';
import { guardOptions, kGuardFlags, kGuardFlagsUsage, kPairFlags, kPairFlagsUsage } from './guard-flags.js';

export const kEvaluateUsage = `Usage: saferoute evaluate [options] DATA…

Judges a pair on labelled data: figures of each guard and of every rule of escalation, per set and in the mean, what they cost,
and the domains (the rows' source) where the large guard does worse than the small one.
DATA is labelled rows (.jsonl: "prompt" and "response"?, or "messages", and "label") or a features file that saferoute label made of
them (.safetensors). A set is called by its file's name, or by yours: name=FILE.

Which pair (default: the one that comes with the package)
${kPairFlagsUsage}
  --benefit FILE          another router, trained to predict the gain of escalating

What is judged
  -o, --output FILE       everything as JSON, for saferoute report
  --calibration FEATURES  rows to fit temperature and mean score on (entropy+ts, entropy+bc); never the ones that are judged
  --budget SHARE          share of the rows that the budget rule escalates (default: that of saferoute.json, or 0.2)
  --large-weight W        weight of the large guard's logit in the ensemble (default: that of saferoute.json, or 0.5)
  --unsafe-at SCORE       unsafe above this score (default: that of saferoute.json, or 0.5)
  --latency N             rows of each set that are timed, one at a time (default 100)
  --no-latency            time none; then features files need no guards
  --work DIR              keep the features of labelled rows here, and take up those that are there

How the guards are loaded
${kGuardFlagsUsage}
  -h, --help

Exit code: 0 judged, 1 could not go on, 2 wrong command line, 130 interrupted.
`;

export interface EvaluateArguments {
  help: boolean;
  /** null: no JSON. */
  output: string | null;
  options: EvaluateOptions;
}

const kOptions = {
  ...kPairFlags,
  benefit: { type: 'string' },
  output: { type: 'string', short: 'o' },
  calibration: { type: 'string' },
  budget: { type: 'string' },
  'large-weight': { type: 'string' },
  'unsafe-at': { type: 'string' },
  latency: { type: 'string' },
  'no-latency': { type: 'boolean', default: false },
  work: { type: 'string' },
  ...kGuardFlags,
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const kMostPrompts = 1_000_000;

type Values = ReturnType<typeof parse>['values'];

export function parseEvaluateArguments(argv: string[]): EvaluateArguments {
  const { values, positionals } = parse(argv);
  if (values.help) return { help: true, output: null, options: { data: [] } };
  if (positionals.length === 0)
    throw new UsageError('evaluate needs DATA: labelled rows or features files; try --help');
  const { pair, small, large, router, benefit, output, calibration, work } = values;
  refuseEmptyPaths({ pair, small, large, router, benefit, output, calibration, work });
  return {
    help: false,
    output: output ?? null,
    options: {
      ...pairParts(values),
      ...judgement(values),
      options: guardOptions(values),
      data: positionals.map(dataOf),
    },
  };
}

function parse(argv: string[]) {
  return parseArgs({ args: argv, options: kOptions, allowPositionals: true });
}

function pairParts({
  pair,
  small,
  large,
  router,
}: Values): Pick<EvaluateOptions, 'pair' | 'small' | 'large' | 'router'> {
  if (pair !== undefined && (small ?? large) !== undefined) {
    throw new UsageError('--pair names both guards; it does not go with --small or --large');
  }
  if ((small === undefined) !== (large === undefined)) throw new UsageError('--small and --large go together');
  return {
    ...(pair !== undefined && { pair }),
    ...(small !== undefined && { small }),
    ...(large !== undefined && { large }),
    ...(router !== undefined && { router }),
  };
}

function judgement(values: Values): Partial<EvaluateOptions> {
  const { benefit, calibration, work, budget, latency, 'large-weight': largeWeight, 'unsafe-at': unsafeAt } = values;
  const options: Partial<EvaluateOptions> = {
    ...(benefit !== undefined && { benefit }),
    ...(calibration !== undefined && { calibration }),
    ...(work !== undefined && { work }),
  };
  if (budget !== undefined) options.budget = numberIn('--budget', budget, 0, 1);
  if (largeWeight !== undefined) options.largeWeight = numberIn('--large-weight', largeWeight, 0, 1);
  if (unsafeAt !== undefined) options.unsafeAt = numberIn('--unsafe-at', unsafeAt, 0, 1);
  if (latency !== undefined && values['no-latency']) {
    throw new UsageError('--latency and --no-latency contradict each other');
  }
  if (values['no-latency']) options.latencyPrompts = 0;
  if (latency !== undefined) options.latencyPrompts = wholeNumberIn('--latency', latency, 1, kMostPrompts);
  return options;
}

/** `name=FILE`, or a file that is called by its own name. A name has no slash, so that a path with an equals sign can be written with one. */
function dataOf(text: string): EvaluationData {
  const [, name, path] = /^([^=/\\]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || path === undefined) return text;
  if (path === '') throw new UsageError(`DATA must be FILE or name=FILE, got '${text}'`);
  return { name, path };
}
