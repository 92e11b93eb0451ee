/** The pair that is judged: its parts as SafeRoute.load would find them, its routers, and what tells its guards apart from others. */

import { openRouter, type RouterFile } from '../checkpoint/index.js';
import { settleDevice } from '../device.js';
import { SafeRouteError } from '../errors.js';
import { type LoadPlan, openGuardFiles } from '../load.js';
import { loadAddon } from '../native.js';
import { planPair } from '../pair-plan.js';
import { type GuardPlace, parsePairOptions } from '../validate-options.js';
import type { EvaluatePlan } from './evaluate-options.js';
import type { FeatureTable } from './feature-table.js';
import { fingerprintsOf } from './guard-fingerprint.js';
import { type LoadedGuard, requireReadBy } from './pair-guards.js';

export interface EvaluatedPair {
  plan: LoadPlan & { large: GuardPlace };
  router: RouterFile | null;
  benefit: RouterFile | null;
  /** null where the guards themselves are not there, so that features files can't be held against them. */
  guards: { small: LoadedGuard; large: LoadedGuard } | null;
}

/**
 * Without labelled rows and timing no guard runs, and none need be there. Throws ERR_SPEC for a pair without a large guard, and what a load
 * throws for parts that are broken.
 */
export async function openEvaluatedPair({
  pair,
  parts,
  benefit,
  sets,
  latencyPrompts,
}: EvaluatePlan): Promise<EvaluatedPair> {
  const plan = await planPair(parsePairOptions(parts), pair ?? null);
  const { large } = plan;
  if (large === null)
    throw new SafeRouteError('ERR_SPEC', 'the pair has no large guard; there is nothing to escalate to');
  const runs = latencyPrompts > 0 || sets.some(({ kind }) => kind === 'rows');
  return {
    plan: { ...plan, large },
    router: plan.router === null ? null : await openRouter(plan.router),
    benefit: benefit === null ? null : await openRouter(benefit),
    guards: await openGuards({ ...plan, large }, runs),
  };
}

/** Throws ERR_DATA where the features were read by guards other than the pair's, or by the same under other settings. */
export function requireReadByBoth({ guards }: Pick<EvaluatedPair, 'guards'>, table: FeatureTable): void {
  if (guards === null) return;
  for (const name of ['small', 'large'] as const) requireReadBy(table, name, guards[name]);
}

async function openGuards(
  { small, large, settings: asked }: EvaluatedPair['plan'],
  needed: boolean,
): Promise<EvaluatedPair['guards']> {
  const settings = await settleDevice(asked, loadAddon());
  const open = async (place: GuardPlace) => ({
    dir: place.dir,
    settings,
    fingerprints: await fingerprintsOf(await openGuardFiles(place, settings), loadAddon()),
  });
  try {
    return { small: await open(small), large: await open(large) };
  } catch (error) {
    if (!needed && error instanceof SafeRouteError && error.code === 'ERR_CHECKPOINT') return null;
    throw error;
  }
}
