/** What a saferoute.json describes, for `saferoute inspect`: the pair itself, then each of its parts. */

import {
  type CalibrationRecord,
  openCheckpoint,
  openPair,
  openRouter,
  requireRouterFits,
} from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import { describeEscalation, describeValves } from './describe-escalation.js';
import { type Inspection, inspectGuard } from './inspect-guard.js';
import { inspectRouter } from './inspect-router.js';

export async function inspectPair(file: string): Promise<Inspection[]> {
  const { path, small, large, router, escalation, unsafeAt, valves, calibrated } = await openPair(file);
  const parts = [
    await inspectGuard(small),
    ...(large === null ? [] : [await inspectGuard(large)]),
    ...(router === null ? [] : [await inspectRouter(router)]),
  ];
  const pair: Inspection = {
    headline: `pair  ${path}`,
    lines: [
      ['small', small],
      ['large', large ?? 'none: every verdict is that of the small guard'],
      ['router', router ?? 'none'],
      ['escalation', escalation === null ? 'left to the default' : describeEscalation(escalation)],
      ...describeValves(valves),
      ...describeCalibrated(calibrated),
      ['unsafe', `above a score of ${unsafeAt ?? 0.5}`],
    ],
    problems: router === null ? [] : await misfit(small, router),
  };
  return [pair, ...parts];
}

/** Why the router can't read the small guard; what is wrong with either alone is told with its part. */
async function misfit(small: string, router: string): Promise<string[]> {
  try {
    const [guard, file] = await Promise.all([openCheckpoint(small), openRouter(router)]).catch(() => []);
    if (guard && file) requireRouterFits(file, guard);
    return [];
  } catch (error) {
    if (error instanceof SafeRouteError) return [error.message];
    throw error;
  }
}

function describeCalibrated(calibrated: CalibrationRecord | null): [string, string][] {
  if (calibrated === null) return [];
  const { rows, rate, band, target } = calibrated;
  return [['calibrated', `on ${rows} rows for ${target}: a rate of ${rate}, ${band[0]} to ${band[1]} elsewhere`]];
}
