/** `saferoute evaluate`: tables for people on stdout, and everything as JSON where it is asked for. */

import { writeAtomically } from '../atomic-file.js';
import { AbortError } from '../errors.js';
import { evaluate as judge } from '../train/evaluate.js';
import type { EvaluateProgress } from '../train/evaluate-options.js';
import { kEvaluateUsage, parseEvaluateArguments } from './evaluate-arguments.js';
import { renderEvaluation } from './evaluation-tables.js';
import { kExit } from './exit.js';
import { ProgressLine } from './progress-line.js';
import { grouped, painter } from './terminal.js';

export async function evaluate(argv: string[]): Promise<number> {
  const { help, output, options } = parseEvaluateArguments(argv);
  if (help) {
    process.stdout.write(kEvaluateUsage);
    return kExit.ok;
  }
  const stop = new AbortController();
  const interrupt = () => stop.abort('SIGINT');
  process.once('SIGINT', interrupt);
  const progress = new ProgressLine(process.stderr, true);
  try {
    const onProgress = (report: EvaluateProgress) => progress.show(progressText(report));
    const evaluation = await judge({ ...options, signal: stop.signal, onProgress }).finally(() => progress.clear());
    if (output !== null) {
      const bytes = Buffer.from(`${JSON.stringify(evaluation, null, 1)}\n`);
      await writeAtomically(output, (write) => write(bytes));
    }
    process.stdout.write(renderEvaluation(evaluation, painter(process.stdout)));
    return kExit.ok;
  } catch (error) {
    if (error instanceof AbortError && stop.signal.aborted) return kExit.interrupted;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

const kStages: Readonly<Record<EvaluateProgress['stage'], string>> = {
  label: 'labelling',
  time: 'timing',
  judge: 'judging',
};

/** "labelling xstest · 120 of 450 · 0:35 left" */
export function progressText({ stage, set, done, total, secondsLeft }: EvaluateProgress): string {
  const parts = [`${kStages[stage]} ${set}`, total === null ? grouped(done) : `${grouped(done)} of ${grouped(total)}`];
  if (secondsLeft !== null) {
    const seconds = Math.ceil(secondsLeft);
    parts.push(`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left`);
  }
  return parts.join(' · ');
}
