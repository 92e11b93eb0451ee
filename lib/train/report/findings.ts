/** What the figures come to: how much the pair gains, what that costs, and whether its rule earns its place beside chance and its rivals. */

import type { CurvePoint, DomainFigures, Evaluation, RuleFigures, RuleName } from '../evaluation.js';
import { ruleInForce } from './rules.js';

/** F1 that is closer than this counts as the same. */
export const kSameF1 = 0.005;

const kEntropies: readonly RuleName[] = ['entropy', 'entropy+ts', 'entropy+cc', 'entropy+bc'];
const kRouters: readonly RuleName[] = ['router', 'benefit'];

/** F1 of another rule where it sends as many rows to the large guard. */
export interface Rival {
  rule: RuleName;
  f1: number;
}

export type Judgement =
  /** Better than chance at the same share of rows, and so a router than entropy. */
  | 'worth'
  /** A router, and entropy does as well at the same share. */
  | 'level'
  /** The rival does better at the same share: entropy than a router, or a router than entropy. */
  | 'rival-better'
  /** No better than sending the same share by chance. */
  | 'chance'
  /** No better than the small guard alone. */
  | 'no-gain'
  /** The rule in force is one guard alone: there is nothing to judge. */
  | 'one-guard'
  /** Figures are missing: no set holds both classes, or the rules to compare with were not run. */
  | 'unknown';

export interface Findings {
  rule: RuleName | null;
  /** Whether the rule picks rows by the small guard's entropy; otherwise by a router, by chance, or not at all. */
  byEntropy: boolean;
  small: RuleFigures | null;
  large: RuleFigures | null;
  pair: RuleFigures | null;
  oracle: RuleFigures | null;
  judgement: Judgement;
  random: Rival | null;
  /** Where the pair runs a rule of entropy, the best router; where it runs another, the best rule of entropy. */
  rival: Rival | null;
  hurt: { set: string; domain: DomainFigures }[];
}

export function findingsOf(evaluation: Evaluation): Findings {
  const { mean } = evaluation;
  const rule = ruleInForce(evaluation);
  const pair = (rule === null ? undefined : mean.rules[rule]) ?? null;
  const byEntropy = goesByEntropy(rule, evaluation);
  const best = (names: readonly RuleName[]) =>
    pair === null ? null : bestRival(evaluation, names, pair.escalated, rule);
  const random = best(['random']);
  const rival = best(byEntropy ? kRouters : kEntropies);
  const small = mean.rules.small ?? null;
  return {
    rule,
    byEntropy,
    small,
    large: mean.rules.large ?? null,
    pair,
    oracle: mean.rules.oracle ?? null,
    judgement: judge({ rule, byEntropy, pair, small, random, rival }),
    random,
    rival,
    hurt: evaluation.sets.flatMap(({ name, domains }) =>
      domains.filter(({ escalation }) => escalation === 'hurts').map((domain) => ({ set: name, domain })),
    ),
  };
}

/** Without a router, budget and ensemble pick their rows by entropy too. */
function goesByEntropy(rule: RuleName | null, { pair }: Evaluation): boolean {
  if (rule === 'budget' || rule === 'ensemble') return pair.router === null;
  return rule !== null && kEntropies.includes(rule);
}

/** F1 at a share of escalated rows, on the straight line between the curve's points; null where the curve has none beside it. */
export function f1At(curve: readonly CurvePoint[], escalated: number): number | null {
  const after = curve.findIndex((point) => point.escalated >= escalated);
  const right = curve[after];
  if (right === undefined || right.f1 === null) return null;
  if (right.escalated === escalated) return right.f1;
  const left = curve[after - 1];
  if (left === undefined || left.f1 === null) return null;
  return left.f1 + ((escalated - left.escalated) / (right.escalated - left.escalated)) * (right.f1 - left.f1);
}

function bestRival(
  { mean }: Evaluation,
  names: readonly RuleName[],
  escalated: number,
  own: RuleName | null,
): Rival | null {
  const rivals = names
    .filter((name) => name !== own)
    .flatMap((rule) => {
      const f1 = f1At(mean.curves[rule] ?? [], escalated);
      return f1 === null ? [] : [{ rule, f1 }];
    });
  return rivals.reduce<Rival | null>((best, one) => (best === null || one.f1 > best.f1 ? one : best), null);
}

function judge({
  rule,
  byEntropy,
  pair,
  small,
  random,
  rival,
}: Pick<Findings, 'rule' | 'byEntropy' | 'pair' | 'small' | 'random' | 'rival'>): Judgement {
  if (rule === 'small' || rule === 'large') return 'one-guard';
  if (pair === null || pair.f1 === null || small === null || small.f1 === null) return 'unknown';
  if (pair.f1 - small.f1 <= kSameF1) return 'no-gain';
  if (random === null && rule !== 'random') return 'unknown';
  if (rule === 'random' || (random !== null && pair.f1 - random.f1 <= kSameF1)) return 'chance';
  if (rival === null) return 'worth';
  if (rival.f1 - pair.f1 > kSameF1) return 'rival-better';
  return byEntropy || pair.f1 - rival.f1 > kSameF1 ? 'worth' : 'level';
}
