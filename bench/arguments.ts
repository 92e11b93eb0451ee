// The command line: names of cases, how much time to spend, who takes part.
import { parseArgs } from 'node:util';
import type { Effort } from './cases/case.js';

export interface Arguments {
  /** Names; empty: all that the effort includes. */
  cases: string[];
  effort: Effort;
  /** null: all. */
  contenders: Set<string> | null;
  /** Keeps results out of bench/results. */
  dry: boolean;
  help: boolean;
}

export const kUsage = `npm run bench -- [case …] [--quick | --full] [--contender name]… [--dry]

  case         one or more of the cases below; without, all of them (with --quick, those that fit)
  --quick      fewer cases, contenders and samples; under three minutes
  --full       more of both, and the shapes that need 16 GB and more and more
  --contender  only these contenders; may be given more than once
  --dry        print the table and write nothing
`;

/** Throws a RangeError that names the value and what there is. */
export function parseArguments(
  argv: string[],
  known: { cases: readonly string[]; contenders: readonly string[] },
): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      contender: { type: 'string', multiple: true },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.quick && values.full) throw new RangeError('--quick and --full exclude each other');
  requireKnown('case', positionals, known.cases);
  requireKnown('contender', values.contender ?? [], known.contenders);
  return {
    cases: positionals,
    effort: values.quick ? 'quick' : values.full ? 'full' : 'standard',
    contenders: values.contender === undefined ? null : new Set(values.contender),
    dry: values.dry,
    help: values.help,
  };
}

function requireKnown(what: string, given: readonly string[], known: readonly string[]): void {
  const stranger = given.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new RangeError(`no ${what} is called '${stranger}'; there are ${known.join(', ')}`);
}
