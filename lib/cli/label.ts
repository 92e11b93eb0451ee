/** `saferoute label`: labelled rows in, a features file out. */

import { openFeatures } from '../train/features-reader.js';
import { label as labelRows } from '../train/label.js';
import type { LabelProgress, LabelRequest, LabelSummary } from '../train/label-options.js';
import { kExit } from './exit.js';
import { renderFacts } from './facts.js';
import { featuresFacts } from './inspect-features.js';
import { kLabelUsage, parseLabelArguments } from './label-arguments.js';
import { ProgressLine } from './progress-line.js';
import { duration, grouped, painter } from './terminal.js';
import { untilInterrupted, whatIsKept } from './until-interrupted.js';

export async function label(argv: string[]): Promise<number> {
  const args = parseLabelArguments(argv);
  if (args.help) {
    process.stdout.write(kLabelUsage);
    return kExit.ok;
  }
  const { request } = args;
  return untilInterrupted((signal) => labelInto(request, signal), {
    stopped: () => whatIsKept(`${request.output}.journal`),
  });
}

async function labelInto(request: LabelRequest, signal: AbortSignal): Promise<number> {
  const progress = new ProgressLine(process.stderr, true);
  const onProgress = (news: LabelProgress) => progress.show(progressText(news));
  const summary = await labelRows({ ...request, signal, onProgress }).finally(() => progress.clear());
  await tell(summary);
  return summary.failed.length > 0 ? kExit.someFailed : kExit.ok;
}

async function tell({ path, failed, failedPath, resumed, warnings }: LabelSummary): Promise<void> {
  const paint = painter(process.stdout);
  const { headline, lines } = featuresFacts(await openFeatures(path));
  const earlier = resumed > 0 ? `${grouped(resumed)} rows` : null;
  const refused =
    failed.length > 0
      ? `${grouped(failed.length)} ${failed.length === 1 ? 'row' : 'rows'}, listed in ${failedPath}`
      : null;
  const own: [string, string | null][] = [
    ['done before', earlier],
    ['failed', refused && paint('red', refused)],
    ...warnings.map((warning): [string, string] => ['warning', paint('yellow', warning)]),
  ];
  process.stdout.write(renderFacts({ headline, lines: [...lines, ...own] }, paint));
}

function progressText({ stage, done, rows, failed, rowsPerSecond, secondsLeft }: LabelProgress): string {
  if (stage === 'checking') return `checking the data · ${grouped(done)} rows`;
  if (stage === 'loading') return 'loading the guards';
  if (stage === 'writing') return 'writing the features';
  const parts = [`${grouped(done)} of ${grouped(rows ?? done)} rows`];
  if (rowsPerSecond !== null && secondsLeft !== null)
    parts.push(`${rowsPerSecond.toFixed(1)} rows/s`, `${duration(secondsLeft)} left`);
  if (failed > 0) parts.push(`${grouped(failed)} failed`);
  return parts.join(' · ');
}
