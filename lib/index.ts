/** The public face: everything that `saferoute` exports. */

export { AbortError, type ErrorCode, SafeRouteError } from './errors.js';
export type { AlarmEvent, AlarmStats, AuditStats, EscalationStats } from './escalation-stats.js';
export { Guard, PairedGuard } from './guard.js';
export type { FamilyName, GuardSpec, TokenName } from './guard-spec.js';
export { Moderation, UnsafeResponseError } from './moderate.js';
export type { ModerateOptions } from './moderate-options.js';
export type {
  Audit,
  CheckAllOptions,
  CheckOptions,
  Combine,
  EntropyCalibration,
  Escalation,
  EscalationCap,
  EscalationInForce,
  GuardChoice,
  GuardOptions,
  GuardSource,
  PairOptions,
  Precision,
  RateAlarm,
  ReadOptions,
  RequestOptions,
  Row,
  ScheduledOptions,
  Valves,
} from './options.js';
export { SafeRoute } from './saferoute.js';
export type { GpuMemoryStats, GuardStats, Percentiles, Stats } from './stats.js';
export type { EscalationOutcome, Input, Message, Reading, SettledRow, Stage, Verdict } from './verdict.js';
