/** The public face: everything that `saferoute` exports. */

export { AbortError, type ErrorCode, SafeRouteError } from './errors.js';
export { Guard, PairedGuard } from './guard.js';
export type { FamilyName, GuardSpec, TokenName } from './guard-spec.js';
export { Moderation, UnsafeResponseError } from './moderate.js';
export type { ModerateOptions } from './moderate-options.js';
export type {
  CheckAllOptions,
  CheckOptions,
  Escalation,
  GuardChoice,
  GuardOptions,
  GuardSource,
  PairOptions,
  ReadOptions,
  RequestOptions,
  Row,
  ScheduledOptions,
} from './options.js';
export { SafeRoute } from './saferoute.js';
export type { GuardStats, Percentiles, Stats } from './stats.js';
export type { Input, Message, Reading, SettledRow, Stage, Verdict } from './verdict.js';
