// Pairs for the scenarios, and the state that many of them begin with: both guards in the middle of a long batch.
import { SafeRoute } from '../../../dist/index.mjs';
import native from '../../../dist/native.js';
import face from '../../../dist/saferoute.js';

/** Tokens of a prompt that fills a batch. */
export const kLongTokens = 2000;

/** The embedded pair, with a large guard that reads everything. */
export function load(options = {}) {
  return SafeRoute.load({ escalation: { kind: 'always' }, ...options });
}

export function longRead(guard) {
  return guard.read(new Int32Array(kLongTokens).fill(5));
}

/** Starts to load a pair and returns once the addon builds the guards. */
export async function loadBegun() {
  const addon = native.loadAddon();
  await new Promise((begun) => {
    const loadEngine = (...args) => {
      setImmediate(begun);
      return addon.loadEngine(...args);
    };
    face.openPair(undefined, undefined, () => ({ ...addon, loadEngine }));
  });
}

/** The event loop's next turn. */
export function turn() {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Starts `count` long reads by each guard and returns their promises once both guards are at work and none has settled. On a machine with
 * much else to do one guard may be through with its own before the other begins, or both before this thread looks: then it starts others.
 */
export async function inFlight(pair, count = 4) {
  for (;;) {
    const reads = Array.from({ length: count }, () => [longRead(pair.small), longRead(pair.large)]).flat();
    let settled = false;
    const settle = () => {
      settled = true;
    };
    for (const read of reads) read.then(settle, settle);
    while (!settled) {
      const { small, large } = pair.stats();
      if (small.running > 0 && large.running > 0) return reads;
      await turn();
    }
    await Promise.allSettled(reads);
  }
}

/** How often each code (or 'done') stands among settled promises. */
export async function outcomes(promises) {
  const counts = {};
  for (const { status, reason } of await Promise.allSettled(promises)) {
    const outcome = status === 'fulfilled' ? 'done' : reason.code;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}
