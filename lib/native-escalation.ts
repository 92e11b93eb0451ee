/** The part of native.ts's contract that is about escalation: the rule, the valves around it, and what they tell. */

/** Mirrors `engine::EscalationRule`. */
export interface NativeEscalationRule {
  kind: 'router' | 'entropy' | 'random' | 'budget' | 'always' | 'never';
  /** A hardness, an entropy in bits, or a share. */
  threshold: number;
  seed: number;
  /** Requests, of a budget. */
  window: number;
  /** The score whose entropy counts is σ(logitScale·z + logitShift), z the logit of the small guard's. */
  logitScale: number;
  logitShift: number;
}

/** Mirrors `engine::ValveOptions`. */
export interface NativeValves {
  auditRate: number;
  auditSeed: number;
  alarm: { low: number; high: number; window: number } | null;
  cap: { perSecond: number; refuses: boolean } | null;
  shadow: boolean;
}

/** Why the large guard reads a request after the small one, or why it does not; mirrors `engine::Escalation`. */
export type NativeEscalation = 'none' | 'rule' | 'audit' | 'capped' | 'shadow';

/** Mirrors `engine::AlarmState`. */
export interface NativeAlarm {
  ringing: boolean;
  /** Of the last `window` decisions; null before there were so many. */
  rate: number | null;
  low: number;
  high: number;
  /** A rate below the one or above the other rings; 0 and 1 where none does. */
  ringsBelow: number;
  ringsAbove: number;
  window: number;
  /** Milliseconds for which it has been ringing, or had been when it ended; 0 where it never has. */
  ringingMs: number;
  /** How often it has rung since the load. */
  rung: number;
}

/** Mirrors `engine::ValveStats`: what became of the requests whose small reading the rule has decided. */
export interface NativeValveStats {
  decided: number;
  rule: number;
  audit: number;
  capped: number;
  shadow: number;
  /** Audits left out because of the cap. */
  auditsSkipped: number;
  auditsAgreed: number;
  auditsOnlyLargeUnsafe: number;
  auditsOnlySmallUnsafe: number;
  /** Of a budget, the hardness or entropy above which it escalates now; null otherwise, and before the first. */
  budgetThreshold: number | null;
  alarm: NativeAlarm | null;
}
