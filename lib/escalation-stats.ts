/** What `stats()` tells of the escalation rule and its valves, and what an alarm says. */

import type { NativeAlarm, NativeValveStats } from './native-escalation.js';

/** Of the requests that the small guard has read and the rule has decided, since the load. */
export interface EscalationStats {
  decided: number;
  /** Hard, and handed to the large guard. */
  rule: number;
  /** Easy, and handed to the large guard all the same. */
  audit: number;
  /** Hard, but over the cap. */
  capped: number;
  /** Hard, in shadow mode. */
  shadow: number;
  /** Share of the decided that the rule found hard, whatever the valves made of them; 0 before the first. */
  rate: number;
  /** By a budget, the hardness or entropy above which requests are escalated now; null by other rules, and before the first request. */
  threshold: number | null;
}

/** How the large guard judged what the rule found easy; null where there is no audit. */
export interface AuditStats {
  /** Labels that were the same. */
  agreed: number;
  /** Unsafe by the large guard alone: what the rule and the small guard let pass. */
  missed: number;
  /** Unsafe by the small guard alone. */
  overblocked: number;
  /** Audits left out because the cap was reached. */
  skipped: number;
}

export interface Alarm {
  state: 'quiet' | 'ringing';
  /** At which the rule picked the last `window` requests; null before there were so many. */
  rate: number | null;
  /** In which the rate should be. A ringing alarm ends there. */
  band: [number, number];
  /** A rate outside of these rings: beyond the band by more than chance. An end at 0 or 1 never does. */
  limits: [number, number];
  /** Requests. */
  window: number;
  /** When the alarm began to ring, in milliseconds since 1970; null where it does not. */
  since: number | null;
}

export interface AlarmStats extends Alarm {
  /** How often it has rung since the load. */
  rung: number;
}

/** What `saferoute:alarm` tells: one when the rate has left its band, one when it is back. */
export interface AlarmEvent extends Alarm {
  rate: number;
  /** When the excursion that the event is about began. */
  since: number;
  /** Milliseconds for which the alarm rang; null while it does. */
  rangMs: number | null;
  /** Directories of the pair's guards. */
  small: string;
  large: string;
}

export function toEscalationStats({
  decided,
  rule,
  audit,
  capped,
  shadow,
  budgetThreshold,
}: NativeValveStats): EscalationStats {
  const rate = decided === 0 ? 0 : (rule + capped + shadow) / decided;
  return { decided, rule, audit, capped, shadow, rate, threshold: budgetThreshold };
}

export function toAuditStats(native: NativeValveStats): AuditStats {
  return {
    agreed: native.auditsAgreed,
    missed: native.auditsOnlyLargeUnsafe,
    overblocked: native.auditsOnlySmallUnsafe,
    skipped: native.auditsSkipped,
  };
}

/** `nowMs`: the time of day. */
export function toAlarmStats(alarm: NativeAlarm, nowMs: number): AlarmStats {
  return { ...toAlarm(alarm), since: alarm.ringing ? nowMs - alarm.ringingMs : null, rung: alarm.rung };
}

export function toAlarmEvent(alarm: NativeAlarm, nowMs: number, guards: { small: string; large: string }): AlarmEvent {
  const { ringing, ringingMs, rate } = alarm;
  return {
    ...toAlarm(alarm),
    rate: rate ?? 0, // there is always one where an alarm rings
    since: nowMs - ringingMs,
    rangMs: ringing ? null : ringingMs,
    ...guards,
  };
}

function toAlarm({ ringing, rate, low, high, ringsBelow, ringsAbove, window }: NativeAlarm): Omit<Alarm, 'since'> {
  return { state: ringing ? 'ringing' : 'quiet', rate, band: [low, high], limits: [ringsBelow, ringsAbove], window };
}
