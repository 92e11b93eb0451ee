/** `saferoute calibrate`: a threshold for a target, into saferoute.json, and a table of what others would do. */

import { SafeRouteError } from '../errors.js';
import { calibrate as calibratePair } from '../train/calibrate.js';
import type { CalibrateOptions } from '../train/calibrate-options.js';
import { readEvaluation } from '../train/report/evaluation-file.js';
import { type CalibrateArguments, kCalibrateUsage, parseCalibrateArguments } from './calibrate-arguments.js';
import { calibrationTable } from './calibration-table.js';
import { kExit } from './exit.js';
import { ProgressLine } from './progress-line.js';
import { painter } from './terminal.js';
import { untilInterrupted } from './until-interrupted.js';

export async function calibrate(argv: string[]): Promise<number> {
  const args = parseCalibrateArguments(argv);
  if (args.help) {
    process.stdout.write(kCalibrateUsage);
    return kExit.ok;
  }
  return untilInterrupted((signal) => calibrateBy(args, signal));
}

async function calibrateBy(args: CalibrateArguments, signal: AbortSignal): Promise<number> {
  const latency = await latencyOption(args);
  const progress = new ProgressLine(process.stderr, true);
  const calibration = await calibratePair(args.features, {
    ...args.options,
    ...latency,
    signal,
    onProgress: ({ path, done, files }) => progress.show(`reading ${path} (${done + 1} of ${files})`),
  }).finally(() => progress.clear());
  const text = args.json ? `${JSON.stringify(calibration)}\n` : calibrationTable(calibration, painter(process.stdout));
  process.stdout.write(text);
  return kExit.ok;
}

async function latencyOption({ evaluation }: CalibrateArguments): Promise<Pick<CalibrateOptions, 'latency'>> {
  if (evaluation === null) return {};
  const { latency_ms } = await readEvaluation(evaluation);
  if (latency_ms === null) throw new SafeRouteError('ERR_DATA', `${evaluation}: no latency was measured`);
  return { latency: { small: latency_ms.small, large: latency_ms.large } };
}
