/**
 * Who goes to the large guard, rule by rule, over rows that both guards have read: by the rule's own threshold, and by share of its ranking.
 * A row that stays keeps the small guard's uncalibrated verdict under every rule.
 */

import { SafeRouteError } from '../errors.js';
import type { EntropyCalibration } from '../options.js';
import { affineOf } from './calibrations.js';
import { coins } from './coins.js';
import type { RuleName, RuleSettings } from './evaluation.js';
import type { JudgedRows } from './judged-rows.js';
import { entropyBits, sigmoid } from './metrics.js';

export interface EscalationPlan {
  /** `(rows)`, 1: the large guard reads the row. */
  goes: Uint8Array;
  /** `(rows)`, higher goes first: what any other share of the rows is taken by. */
  ranking: Float64Array;
}

/** More than half a bit (SafeRoute, arXiv 2502.12464, §4.1): a score between 0.110 and 0.890. */
export const kEntropyThreshold = 0.5;
/** The reference's cut of the router's output; of a benefit router's, (1 + E[gain]) / 2, it is where a gain begins. */
const kRouterThreshold = 0.5;
/** The reference's random baseline. */
export const kRandomShare = 0.5;
/** Of both guards' logits alike, where an ensemble says nothing else. */
export const kLargeWeight = 0.5;

/**
 * What `rule` makes of the rows under `settings`, with the rule's defaults where they are silent; null where it has nothing to go by: no such
 * router, no temperature, no prior, no share for a budget. `ensemble` escalates as the router does, or as entropy does without one; what is
 * its own is the score of an escalated row (`ensembleScores`). Coins, and the order of equal ranks, follow `seed`.
 */
export function planEscalation(
  rule: RuleName,
  rows: JudgedRows,
  settings: RuleSettings = {},
  seed = 0,
): EscalationPlan | null {
  const ranking = rankingOf(rule, rows, settings, seed);
  if (ranking === null) return null;
  if (rule !== 'budget') return { ranking, goes: escalateAbove(ranking, cutOf(rule, rows, settings)) };
  return settings.share === undefined ? null : { ranking, goes: escalateShare(ranking, settings.share, seed) };
}

/** `(rows)`: rows with higher values go first. null where the rule has nothing to go by. */
export function rankingOf(
  rule: RuleName,
  rows: JudgedRows,
  { temperature, prior }: RuleSettings = {},
  seed = 0,
): Float64Array | null {
  const { margins } = rows.small;
  switch (rule) {
    case 'small':
    case 'large':
      return new Float64Array(margins.length);
    case 'random':
      return coins(margins.length, seed).map((coin) => -coin);
    case 'entropy':
      return entropies(margins, null);
    case 'entropy+ts':
      return temperature === undefined ? null : entropies(margins, { kind: 'temperature', temperature });
    case 'entropy+cc':
      return prior === undefined ? null : entropies(margins, { kind: 'contextual', prior });
    case 'entropy+bc':
      return prior === undefined ? null : entropies(margins, { kind: 'batch', prior });
    case 'router':
      return rows.hardness && Float64Array.from(rows.hardness);
    case 'benefit':
      return rows.benefit && Float64Array.from(rows.benefit);
    case 'budget':
    case 'ensemble':
      return rows.hardness ? Float64Array.from(rows.hardness) : entropies(margins, null);
    case 'oracle':
      return Float64Array.from(rows.gain);
  }
}

/** 1 where the ranking is strictly above `threshold`. `(rows)` */
export function escalateAbove(ranking: Float64Array, threshold: number): Uint8Array {
  return Uint8Array.from(ranking, (value) => (value > threshold ? 1 : 0));
}

/** 1 for the first rows of the ranking: as many as make `share` of all, and not one more. A seeded coin orders equal ranks. `(rows)` */
export function escalateShare(ranking: Float64Array, share: number, seed = 0): Uint8Array {
  if (!(share >= 0 && share <= 1)) throw new SafeRouteError('ERR_DATA', `a share must be from 0 to 1, got ${share}`);
  // Guards a whole number of rows against the last bit of a share such as 0.29.
  const count = Math.floor(share * ranking.length * (1 + Number.EPSILON));
  const goes = new Uint8Array(ranking.length);
  for (const row of escalationOrder(ranking, seed).subarray(0, count)) goes[row] = 1;
  return goes;
}

/** The rows from the first to go to the last; a seeded coin orders equal ranks, since the order of a file may follow its labels. */
export function escalationOrder(ranking: Float64Array, seed = 0): Uint32Array {
  const tieBreaks = coins(ranking.length, seed);
  const before = (a: number, b: number) =>
    (ranking[b] as number) - (ranking[a] as number) || (tieBreaks[a] as number) - (tieBreaks[b] as number);
  return Uint32Array.from(ranking, (_, row) => row).sort(before);
}

/** σ(w z_large + (1 − w) z_small): the score of an escalated row where both guards' logits count. `(rows)` */
export function ensembleScores({ small, large }: JudgedRows, largeWeight: number): Float64Array {
  return large.margins.map((z, row) => sigmoid(largeWeight * z + (1 - largeWeight) * (small.margins[row] as number)));
}

/** Bits of entropy of the calibrated small score. `(rows)` */
export function entropies(margins: Float64Array, calibration: EntropyCalibration | null): Float64Array {
  const { scale, shift } = affineOf(calibration);
  return margins.map((z) => entropyBits(sigmoid(scale * z + shift)));
}

function cutOf(rule: RuleName, rows: JudgedRows, { threshold, share = kRandomShare }: RuleSettings): number {
  if (rule === 'small') return Number.POSITIVE_INFINITY;
  if (rule === 'large') return Number.NEGATIVE_INFINITY;
  if (rule === 'random') return -share;
  if (rule === 'oracle') return 0;
  const byRouter = rule === 'router' || rule === 'benefit' || (rule === 'ensemble' && rows.hardness !== null);
  return threshold ?? (byRouter ? kRouterThreshold : kEntropyThreshold);
}
