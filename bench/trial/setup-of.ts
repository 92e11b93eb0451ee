// How a contender is loaded for a case.
import type { Bench } from '../cases/case.js';
import type { Setup } from '../contenders/contender.js';
import type { Entrant } from '../contenders/entrant.js';

/** What a case says of all its contenders; an entrant's own guard goes before `guard`. */
export type Load = Pick<Setup, 'guard' | 'inFlight' | 'promptTokens'>;

export function setupOf({ threads }: Pick<Bench, 'threads'>, who: Entrant, load: Load): Setup {
  const { engine, device, weights, pair = null } = who;
  const { inFlight, promptTokens } = load;
  return { engine, device, guard: who.guard ?? load.guard, weights, inFlight, promptTokens, threads, pair };
}
