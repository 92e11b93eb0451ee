/** `saferoute evaluate`: tables for people on stdout, and everything as JSON where it is asked for. */

import { writeAtomically } from '../atomic-file.js';
import { evaluate as judge } from '../train/evaluate.js';
import type { EvaluateOptions, EvaluateProgress } from '../train/evaluate-options.js';
import { kEvaluateUsage, parseEvaluateArguments } from './evaluate-arguments.js';
import { renderEvaluation } from './evaluation-tables.js';
import { kExit } from './exit.js';
import { ProgressLine } from './progress-line.js';
import { duration, grouped, painter } from './terminal.js';
import { untilInterrupted } from './until-interrupted.js';

export async function evaluate(argv: string[]): Promise<number> {
  const { help, output, options } = parseEvaluateArguments(argv);
  if (help) {
    process.stdout.write(kEvaluateUsage);
    return kExit.ok;
  }
  return untilInterrupted((signal) => evaluateInto(output, { ...options, signal }), {
    stopped: () => whatIsLeft(options.work),
  });
}

async function evaluateInto(output: string | null, options: EvaluateOptions): Promise<number> {
  const progress = new ProgressLine(process.stderr, true);
  const onProgress = (report: EvaluateProgress) => progress.show(progressText(report));
  const evaluation = await judge({ ...options, onProgress }).finally(() => progress.clear());
  if (output !== null) {
    const bytes = Buffer.from(`${JSON.stringify(evaluation, null, 1)}\n`);
    await writeAtomically(output, (write) => write(bytes));
  }
  process.stdout.write(renderEvaluation(evaluation, painter(process.stdout)));
  return kExit.ok;
}

function whatIsLeft(work: EvaluateOptions['work']): string {
  if (!work) return 'Nothing is kept; with --work DIR what was read of labelled rows would be.';
  return `What was read of labelled rows is in ${work}; the same command goes on from there.`;
}

const kStages: Readonly<Record<EvaluateProgress['stage'], string>> = {
  label: 'labelling',
  time: 'timing',
  judge: 'judging',
};

/** "labelling xstest · 120 of 450 · 35 s left" */
export function progressText({ stage, set, done, total, secondsLeft }: EvaluateProgress): string {
  const parts = [`${kStages[stage]} ${set}`, total === null ? grouped(done) : `${grouped(done)} of ${grouped(total)}`];
  if (secondsLeft !== null) parts.push(`${duration(secondsLeft)} left`);
  return parts.join(' · ');
}
