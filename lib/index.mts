/** The same instances for `import` as for `require`, by name. */

export type {
  CheckAllOptions,
  CheckOptions,
  Escalation,
  FamilyName,
  GuardChoice,
  GuardOptions,
  GuardSource,
  GuardSpec,
  GuardStats,
  Input,
  Message,
  PairOptions,
  Percentiles,
  Reading,
  ReadOptions,
  RequestOptions,
  Row,
  ScheduledOptions,
  SettledRow,
  Stage,
  Stats,
  TokenName,
  Verdict,
} from './index.js';
export { AbortError, type ErrorCode, Guard, PairedGuard, SafeRoute, SafeRouteError } from './index.js';
