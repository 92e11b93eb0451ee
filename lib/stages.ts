/** Tells of a request step by step: the small guard's reading first, then the large one's where there is one. */

import { followAbort } from './abort-watch.js';
import type { CascadeEvent } from './engine.js';
import { SafeRouteError } from './errors.js';
import { toReading } from './guard.js';
import type { RequestSettings } from './request-options.js';
import type { Stage, Verdict } from './verdict.js';

type Check = (settings: RequestSettings, onStage: (event: CascadeEvent) => void) => Promise<Verdict>;

/** `parse` runs at the first step, so that a wrong option rejects and never throws at the caller. */
export async function* stagesOf(
  parse: () => RequestSettings,
  check: Check,
  unsafeAt: number,
): AsyncGenerator<Stage, void, void> {
  const { signal, ...settings } = parse();
  const leaving = new AbortController();
  const unfollow = followAbort(signal, leaving);
  try {
    let verdict!: Promise<Verdict>;
    const goesOn = new Promise<CascadeEvent>((resolve) => {
      verdict = check({ ...settings, signal: leaving.signal }, resolve);
    });
    verdict.catch(() => {}); // awaited below, unless the caller leaves the loop before
    const first = await Promise.race([goesOn, verdict]);
    if ('kind' in first) yield escalatedStage(first, unsafeAt);
    else yield decidedStage(first);
    if ('kind' in first) yield largeStage(await verdict);
  } finally {
    unfollow();
    leaving.abort(new Error('the caller stopped listening'));
  }
}

function escalatedStage({ small, hardness, escalation }: CascadeEvent, unsafeAt: number): Stage {
  if (small === null) throw new SafeRouteError('ERR_BACKEND', 'the engine told of a stage without a reading');
  const label = small.score > unsafeAt ? 'unsafe' : 'safe';
  return { stage: 'small', escalated: true, escalation, label, hardness, reading: toReading(small), verdict: null };
}

function decidedStage(verdict: Verdict): Stage {
  const { label, hardness, small, escalation } = verdict;
  return { stage: 'small', escalated: false, escalation, label, hardness, reading: small, verdict };
}

function largeStage(verdict: Verdict): Stage {
  const { label, large } = verdict;
  if (large === null) throw new SafeRouteError('ERR_BACKEND', 'the engine answered without the large reading');
  return { stage: 'large', label, reading: large, verdict };
}
