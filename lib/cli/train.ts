/** `saferoute train`: a features file in, a router out. */

import { train as trainRouter } from '../train/train.js';
import type { RoutingFigures, TrainOptions, TrainProgress, TrainSummary } from '../train/train-options.js';
import { kExit } from './exit.js';
import { type Facts, renderFacts } from './facts.js';
import { ProgressLine } from './progress-line.js';
import { duration, grouped, painter, percent } from './terminal.js';
import { kTrainUsage, parseTrainArguments } from './train-arguments.js';
import { untilInterrupted, whatIsKept } from './until-interrupted.js';

export async function train(argv: string[]): Promise<number> {
  const { help, features, options } = parseTrainArguments(argv);
  if (help) {
    process.stdout.write(kTrainUsage);
    return kExit.ok;
  }
  return untilInterrupted((signal) => trainInto(features, { ...options, signal }), {
    announcement: 'stops with this epoch',
    stopped: () => whatIsKept(`${options.output}.state`),
  });
}

async function trainInto(features: string, options: TrainOptions): Promise<number> {
  const progress = new ProgressLine(process.stderr, true);
  progress.show('reading the features');
  const onProgress = (news: TrainProgress) => progress.show(progressText(news));
  const summary = await trainRouter(features, { ...options, onProgress }).finally(() => progress.clear());
  process.stdout.write(`${renderFacts(summaryFacts(summary), painter(process.stdout))}\n`);
  return kExit.ok;
}

/** "epoch 12 of 100 · loss 0.3121 · validation AUPRC 0.643 · 5 min left" */
export function progressText({ epoch, epochs, loss, validAuprc, secondsLeft }: TrainProgress): string {
  const parts = [`epoch ${grouped(epoch)} of ${grouped(epochs)}`, `loss ${loss.toFixed(4)}`];
  if (validAuprc !== null) parts.push(`validation AUPRC ${validAuprc.toFixed(3)}`);
  return [...parts, `${duration(secondsLeft)} left`].join(' · ');
}

export function summaryFacts(summary: TrainSummary): Facts {
  const { path, recipe, rows, hard, trainRows, epochs, keptEpoch, resumed, valid } = summary;
  const kept = keptEpoch === epochs ? '' : `, the weights of epoch ${grouped(keptEpoch)} kept`;
  return {
    headline: `router  ${path}`,
    lines: [
      ['recipe', recipe],
      ['rows', `${grouped(rows)}, ${percent(hard / rows)} hard, ${grouped(trainRows)} learnt from`],
      ['epochs', `${grouped(epochs)}${kept}${resumed ? ', after an interruption' : ''}`],
      ['validation', valid && validation(valid)],
      ['routing', valid && routing(valid, summary.threshold)],
    ],
  };
}

function validation({ rows, hard, auprc }: RoutingFigures): string {
  const figure = auprc === null ? 'no AUPRC of one kind of rows alone' : `AUPRC ${auprc.toFixed(3)}`;
  return `${grouped(rows)} rows, ${grouped(hard)} hard: ${figure}`;
}

function routing({ f1, precision, recall, escalated }: RoutingFigures, threshold: number): string {
  const share = (figure: number | null) => (figure === null ? '–' : figure.toFixed(3));
  return `above ${threshold}: F1 ${share(f1)}, precision ${share(precision)}, recall ${share(recall)}, ${percent(escalated)} escalated`;
}
