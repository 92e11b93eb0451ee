/** `saferoute report`: what an evaluation found, as a page for people. */

import { report as writeReport } from '../train/report/report.js';
import { kExit } from './exit.js';
import { kReportUsage, parseReportArguments } from './report-arguments.js';
import { bytes } from './terminal.js';

export async function report(argv: string[]): Promise<number> {
  const { help, evaluation, options } = parseReportArguments(argv);
  if (help) {
    process.stdout.write(kReportUsage);
    return kExit.ok;
  }
  const { path, bytes: size, charts, boundary } = await writeReport(evaluation, options);
  process.stderr.write(`${path}: ${bytes(size)}\n`);
  if (options.svg !== undefined) process.stderr.write(`${options.svg}: ${charts.length} charts\n`);
  if (options.texts !== undefined) {
    process.stderr.write(
      `${options.texts.join(', ')}: texts of ${boundary.texts} of the ${boundary.rows} rows at the boundary\n`,
    );
  }
  return kExit.ok;
}
