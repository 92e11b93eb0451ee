/** The escalation rule and its valves with every default applied, held against what the pair has, and as native code takes them. */

import type { RouterFile } from './checkpoint/index.js';
import { affineLogit } from './entropy-calibration.js';
import { SafeRouteError } from './errors.js';
import { kValveKeys, type ValveSettings } from './escalation-settings.js';
import type { NativeEscalationRule, NativeValves } from './native-escalation.js';
import type { Escalation, EscalationInForce, Valves } from './options.js';

const kThreshold = 0.5;
const kWindow = 1000; // requests

/** The chance, per request and side of the band, with which an alarm may ring by chance; `native/engine/rate_alarm.h` has the same. */
const kFalseAlarms = 5e-7;

/** Throws ERR_SPEC where the rule needs a guard or a router that is not there. */
export function settleEscalation(
  given: Escalation | null,
  hasLarge: boolean,
  router: Pick<RouterFile, 'defaultThreshold'> | null,
): EscalationInForce {
  if (!hasLarge && given !== null && given.kind !== 'never')
    refuse(`escalation by '${given.kind}' needs a large guard, and there is none`);
  if (hasLarge && given === null && router === null)
    refuse("a pair without a router needs the escalation option, for instance { kind: 'entropy' }");
  const rule: Escalation = given ?? (hasLarge ? { kind: 'router' } : { kind: 'never' });
  switch (rule.kind) {
    case 'router':
      if (router === null) return refuse("escalation by 'router' needs a router, and there is none");
      return { kind: 'router', threshold: rule.threshold ?? router.defaultThreshold ?? kThreshold };
    case 'entropy':
      return { threshold: kThreshold, ...rule };
    case 'random':
      return { rate: 0.5, seed: 0, ...rule };
    case 'budget':
      return { window: kWindow, ...rule };
    default:
      return rule;
  }
}

/** `band`: what the rule was calibrated to, or null. Throws ERR_SPEC where a valve needs what is not there. */
export function settleValves(given: ValveSettings, band: [number, number] | null, hasLarge: boolean): Valves {
  const named = kValveKeys.find((key) => Boolean(given[key]));
  if (!hasLarge && named !== undefined) refuse(`the option '${named}' needs a large guard, and there is none`);
  const { combine = { kind: 'large' }, audit, cap, shadow = false } = given;
  return {
    combine: combine.kind === 'ensemble' ? { largeWeight: 0.5, ...combine } : combine,
    audit: audit ? { seed: 0, ...audit } : null,
    alarm: settleAlarm(given.alarm, hasLarge ? band : null),
    cap: cap ? { otherwise: 'small', ...cap } : null,
    shadow,
  };
}

/** A rule that knows its band rings without being asked to. */
function settleAlarm(given: ValveSettings['alarm'], calibrated: [number, number] | null): Valves['alarm'] {
  if (given === null) return null;
  const band = given?.band ?? calibrated;
  if (band === null) {
    return given === undefined
      ? null
      : refuse('the alarm needs a band: { band: [low, high] }, or a saferoute.json that was calibrated');
  }
  const window = given?.window ?? kWindow;
  if (canRing(band, window)) return { band, window };
  if (given === undefined) return null;
  return refuse(
    `no rate over ${window} requests could leave the alarm's band [${band.join(', ')}] by more than chance`,
  );
}

/** Whether a window of nothing but escalations, or of none at all, is rarer than false alarms may be. */
function canRing([low, high]: [number, number], window: number): boolean {
  return high ** window <= kFalseAlarms || (1 - low) ** window <= kFalseAlarms;
}

export function nativeEscalation(rule: EscalationInForce): NativeEscalationRule {
  const { scale, shift } = affineLogit(rule.kind === 'entropy' ? (rule.calibration ?? null) : null);
  const native = { kind: rule.kind, threshold: 0, seed: 0, window: 0, logitScale: scale, logitShift: shift };
  switch (rule.kind) {
    case 'router':
    case 'entropy':
      return { ...native, threshold: rule.threshold };
    case 'random':
      return { ...native, threshold: rule.rate, seed: rule.seed };
    case 'budget':
      return { ...native, threshold: rule.share, window: rule.window };
    default:
      return native;
  }
}

export function nativeValves({ audit, alarm, cap, shadow }: Valves): NativeValves {
  return {
    auditRate: audit?.rate ?? 0,
    auditSeed: audit?.seed ?? 0,
    alarm: alarm === null ? null : { low: alarm.band[0], high: alarm.band[1], window: alarm.window },
    cap: cap === null ? null : { perSecond: cap.perSecond, refuses: cap.otherwise === 'error' },
    shadow,
  };
}

function refuse(problem: string): never {
  throw new SafeRouteError('ERR_SPEC', problem);
}
