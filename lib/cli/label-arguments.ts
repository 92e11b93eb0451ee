/** The command line of `saferoute label`. */

import { parseArgs } from 'node:util';
import type { LabelRequest } from '../train/label-options.js';
import { UsageError } from './exit.js';
import { refuseEmptyPaths } from './flag-values.js';
import { guardOptions, kGuardFlags, kGuardFlagsUsage } from './guard-flags.js';

export const kLabelUsage = `Usage: saferoute label [options] DATA.jsonl… -o FEATURES

Has both guards read labelled rows, and writes what a router is learnt from: the small guard's features, both readings, and which rows are
hard (the small guard wrong and the large one right). FEATURES is a safetensors file; saferoute inspect FEATURES says what is in it.

A row is a line with a JSON object: {"prompt", "response"?, "rules"?, "label"} or {"messages", "rules"?, "label"}. "label" is 0, 1, "safe" or
"unsafe". "id" (default: file and line) must be unique, "source" names the set or domain that a row is from, and rows with the same "group"
are variants of one row, such as paraphrases. Other members are ignored. All of the data is checked before any guard runs.

The work can be stopped at any time: the same command goes on where it was. Until it is done, what is done is in FEATURES.journal.
Rows that no guard can read are left out and listed in FEATURES.failed.jsonl.

  -o, --output FEATURES   the features file

Which guards (default: the pair that comes with the package)
  --small DIR             the small guard: a checkpoint in Hugging Face layout
  --large DIR             the large guard
  --pair DIR              a folder with a saferoute.json that names both

How
${kGuardFlagsUsage}
  -h, --help

Exit code: 0 all rows labelled, 1 could not go on, 2 wrong command line, 3 some rows failed, 130 interrupted.
`;

export type LabelArguments = { help: true } | { help: false; request: LabelRequest };

export function parseLabelArguments(argv: string[]): LabelArguments {
  const { values, positionals: data } = parseArgs({
    args: argv,
    options: {
      output: { type: 'string', short: 'o' },
      small: { type: 'string' },
      large: { type: 'string' },
      pair: { type: 'string' },
      ...kGuardFlags,
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return { help: true };
  const { output, small, large, pair } = values;
  if (data.length === 0) throw new UsageError('label takes at least one file of labelled rows; try --help');
  if (output === undefined) throw new UsageError('label needs -o FEATURES: where the features go');
  if ((small === undefined) !== (large === undefined)) throw new UsageError('--small and --large go together');
  if (pair !== undefined && small !== undefined)
    throw new UsageError('--pair says all; it does not go with --small and --large');
  refuseEmptyPaths({ output, small, large, pair });
  const guards = small !== undefined && large !== undefined ? { small, large } : pair !== undefined ? { pair } : {};
  return { help: false, request: { ...guards, data, output, options: guardOptions(values) } };
}
