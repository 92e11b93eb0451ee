/** The escalation rule and its valves in words, for people who inspect a pair. */

import type { ValveSettings } from '../escalation-settings.js';
import type { EntropyCalibration, Escalation } from '../options.js';

export function describeEscalation(escalation: Escalation): string {
  switch (escalation.kind) {
    case 'router':
      return `by the router, hardness above the threshold ${escalation.threshold ?? 'that suits it'}`;
    case 'entropy':
      return `by entropy above ${escalation.threshold ?? 0.5} bits${describeCalibration(escalation.calibration)}`;
    case 'random':
      return `of a share of ${escalation.rate ?? 0.5} picked by a coin with seed ${escalation.seed ?? 0}`;
    case 'budget':
      return `of the hardest share of ${escalation.share} among the last ${escalation.window ?? 1000} messages`;
    case 'always':
      return 'always';
    case 'never':
      return 'never';
  }
}

function describeCalibration(calibration: EntropyCalibration | undefined): string {
  if (calibration === undefined) return '';
  if (calibration.kind === 'temperature') return `, at a temperature of ${calibration.temperature}`;
  return `, ${calibration.kind} calibration with a prior of ${calibration.prior}`;
}

/** One line for each valve that is there. */
export function describeValves({ combine, audit, alarm, cap, shadow }: ValveSettings): [string, string][] {
  const lines: [string, string][] = [];
  if (combine?.kind === 'ensemble')
    lines.push(['ensemble', `both guards' logits, the large one's weighing ${combine.largeWeight ?? 0.5}`]);
  if (audit) lines.push(['audit', `of a share of ${audit.rate} of the easy ones`]);
  if (alarm?.band) lines.push(['alarm', `outside of a rate of ${alarm.band[0]} to ${alarm.band[1]}`]);
  if (cap) {
    const otherwise = cap.otherwise === 'error' ? 'an error' : "the small guard's verdict";
    lines.push(['cap', `${cap.perSecond} a second, then ${otherwise}`]);
  }
  if (shadow) lines.push(['shadow', 'the large guard is not asked']);
  return lines;
}
