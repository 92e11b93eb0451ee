/** What a process can listen to with node:diagnostics_channel, and its warnings. Messages carry no text of a request. */

import { channel } from 'node:diagnostics_channel';
import type { AlarmEvent } from './escalation-stats.js';
import type { Verdict } from './verdict.js';

/** `{ verdict }`: a request through a pair has its verdict, which says whether the rule, the audit, the cap or shadow mode had a part in it. */
const kVerdict = channel('saferoute:verdict');
/** `{ id, error }`: a request through a pair failed, was aborted, or was refused. */
const kError = channel('saferoute:error');
/** `{ small, large, router, ms }`: a pair stands; directories and file, and how long the load took. */
const kLoad = channel('saferoute:load');
/** `{ code, guard, message }`: a warning of the process; the guard's directory, or null where it is of all guards, and what is the matter. */
const kWarning = channel('saferoute:warning');

/** An `AlarmEvent`: the rate of escalation has left its band, or is back. */
const kAlarm = channel('saferoute:alarm');

export function publishVerdict(verdict: Verdict): void {
  if (kVerdict.hasSubscribers) kVerdict.publish({ verdict });
}

export function publishError(id: string | null, error: unknown): void {
  if (kError.hasSubscribers) kError.publish({ id, error });
}

export function publishAlarm(alarm: AlarmEvent): void {
  if (kAlarm.hasSubscribers) kAlarm.publish(alarm);
}

export function publishLoad(loaded: { small: string; large: string | null; router: string | null; ms: number }): void {
  if (kLoad.hasSubscribers) kLoad.publish(loaded);
}

/** Converted weights could not be kept or used; the guard itself is none the worse. */
export function warnOfCache(guard: string, message: string): void {
  warn('SAFEROUTE_CACHE', guard, message);
}

/** The GPU could not be used; the guards run on the CPU. */
export function warnOfDevice(message: string): void {
  warn('SAFEROUTE_DEVICE', null, message);
}

/** The guards stand on the GPU, but not as they were asked for: weights are streamed from host memory, or fewer keys and values are kept. */
export function warnOfMemory(message: string): void {
  warn('SAFEROUTE_MEMORY', null, message);
}

/** `guard`: its directory, or null where it is of all guards. */
function warn(code: string, guard: string | null, message: string): void {
  process.emitWarning(message, { type: 'SafeRouteWarning', code });
  if (kWarning.hasSubscribers) kWarning.publish({ code, guard, message });
}
