#!/usr/bin/env node
/** The `saferoute` command: picks the subcommand and turns what comes out into an exit code. */

import { calibrate } from './calibrate.js';
import { check } from './check.js';
import { doctor } from './doctor.js';
import { evaluate } from './evaluate.js';
import { kExit, report as reportError, UsageError } from './exit.js';
import { inspect } from './inspect.js';
import { label } from './label.js';
import { packageVersion } from './package-version.js';
import { report } from './report.js';
import { train } from './train.js';

const kUsage = `Usage: saferoute <command>

  check [options] [FILE…]   screen messages, one per line: JSON verdicts out (saferoute check --help)
  inspect DIR|FILE          what a checkpoint, pair, router or features file is, and what of it is not supported
  label DATA… -o FEATURES   have both guards read labelled rows, for a router to learn from (saferoute label --help)
  train FEATURES -o ROUTER  a router from those readings (saferoute train --help)
  calibrate FEATURES…       the threshold of escalation for a target (saferoute calibrate --help)
  evaluate DATA…            both guards and every rule of escalation on labelled data (saferoute evaluate --help)
  report EVALUATION.json    an evaluation as a page for people (saferoute report --help)
  doctor                    which binary, inference library, CPU and memory were found
  --version
`;

const kCommands: Record<string, (argv: string[]) => Promise<number>> = {
  calibrate,
  check,
  evaluate,
  inspect,
  label,
  report,
  train,
  doctor,
};

async function main([name, ...argv]: string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${packageVersion()}\n`);
    return kExit.ok;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(kUsage);
    return kExit.ok;
  }
  const command = Object.hasOwn(kCommands, name ?? '') ? kCommands[name as string] : undefined;
  if (!command)
    throw new UsageError(name === undefined ? 'no command; try --help' : `no command '${name}'; try --help`);
  return command(argv);
}

main(process.argv.slice(2))
  .catch(reportError)
  .then((code) => {
    process.exitCode = code;
  });
