/** The command line of `saferoute report`. */

import { parseArgs } from 'node:util';
import type { ReportOptions } from '../train/report/report.js';
import { UsageError } from './exit.js';
import { refuseEmptyPaths } from './flag-values.js';

export const kReportUsage = `Usage: saferoute report EVALUATION.json -o report.html [options]

Makes one HTML page of what saferoute evaluate found: it needs nothing beside it, and loads nothing.

  -o, --output FILE   the page
  --svg DIR           write every chart as an SVG file into this folder too
  --texts FILE        show the rows at the boundary with their texts, from the labelled JSON lines; may be given several times.
                      Without it the page names rows by id and holds no text of any
  -h, --help

Exit code: 0 written, 1 could not be, 2 wrong command line.
`;

export interface ReportArguments {
  help: boolean;
  /** '' where only help is asked for. */
  evaluation: string;
  options: Pick<ReportOptions, 'output' | 'svg'> & { texts?: string[] };
}

export function parseReportArguments(argv: string[]): ReportArguments {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      output: { type: 'string', short: 'o' },
      svg: { type: 'string' },
      texts: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  });
  const { help, output, svg, texts } = values;
  if (help) return { help, evaluation: '', options: { output: '' } };
  const [evaluation, ...more] = positionals;
  if (evaluation === undefined || more.length > 0) {
    throw new UsageError(`report takes one evaluation, got ${positionals.length}; try --help`);
  }
  if (output === undefined) throw new UsageError('report needs -o FILE: where the page goes');
  refuseEmptyPaths({ output, svg, texts });
  return {
    help,
    evaluation,
    options: { output, ...(svg !== undefined && { svg }), ...(texts !== undefined && { texts }) },
  };
}
