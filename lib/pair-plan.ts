/** What is to be loaded for a pair: the options that were given, over saferoute.json, over the defaults. */

import { join } from 'node:path';
import { openPair } from './checkpoint/index.js';
import { SafeRouteError } from './errors.js';
import { kNoValves, type ValveSettings } from './escalation-settings.js';
import type { LoadPlan } from './load.js';
import type { PairSettings } from './validate-options.js';

const kEmbeddedPair = join(__dirname, '..', 'models', 'tiny');
const kUnsafeAt = 0.5;

/** `dir`: a saferoute.json or its folder; null where the source named none. A small guard among the options makes a pair of its own. */
export async function planPair(settings: PairSettings, dir: string | null): Promise<LoadPlan> {
  const filed = dir !== null || settings.small === undefined ? await openPair(dir ?? kEmbeddedPair) : null;
  const place = (filedDir: string | null | undefined) => (filedDir ? { dir: filedDir, guard: null } : null);
  const small = settings.small ?? place(filed?.small);
  if (small === null) throw new SafeRouteError('ERR_SPEC', 'a pair needs a small guard');
  // Who takes the large guard away takes the file's rule and valves away with it.
  const kept = settings.large === null ? null : filed;
  return {
    small,
    large: settings.large !== undefined ? settings.large : place(filed?.large),
    router: settings.router !== undefined ? settings.router : (filed?.router ?? null),
    escalation: settings.escalation ?? kept?.escalation ?? null,
    valves: over(settings.valves, kept?.valves ?? kNoValves),
    // It is the band of the file's own rule on its own parts.
    band: isChanged(settings) ? null : (filed?.calibrated?.band ?? null),
    unsafeAt: settings.unsafeAt ?? filed?.unsafeAt ?? kUnsafeAt,
    settings,
  };
}

function isChanged({ small, large, router, escalation }: PairSettings): boolean {
  return [small, large, router, escalation].some((part) => part !== undefined);
}

function over(options: ValveSettings, filed: ValveSettings): ValveSettings {
  const given = Object.entries(options).filter(([, valve]) => valve !== undefined);
  return { ...filed, ...Object.fromEntries(given) };
}
