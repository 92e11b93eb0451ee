/**
 * The paper's bound on what a rule of escalation may lose against an oracle: SafeRoute (arXiv 2502.12464), theorem 3.1,
 * R_adaptive ≤ R_oracle + M √P(I ≠ t) with M = √E[(ℓ_large − ℓ_small)²]. It holds of any rule and, as here, of the empirical distribution too.
 */

import type { RiskBound, RuleName } from './evaluation.js';
import { softplus } from './metrics.js';

/** `(rows)` each. */
export interface RoutedLosses {
  small: Float64Array;
  large: Float64Array;
  /** I: the row went to the large guard. */
  escalated: Uint8Array;
  /** t: only the large guard is right. */
  hard: Uint8Array;
}

/** −ln P(label), from the difference of the logits (unsafe − safe), so that a sure guard's loss is finite. `(rows)` */
export function logLosses(labels: Int8Array, margins: Float64Array): Float64Array {
  return margins.map((margin, row) => softplus(labels[row] === 1 ? -margin : margin));
}

/** 1 where the guard is wrong. `(rows)` */
export function zeroOneLosses(labels: Int8Array, flags: Uint8Array): Float64Array {
  return Float64Array.from(flags, (flag, row) => (flag === labels[row] ? 0 : 1));
}

export function riskBound(
  rule: RuleName,
  loss: RiskBound['loss'],
  { small, large, escalated, hard }: RoutedLosses,
): RiskBound {
  const sums = { adaptive: 0, oracle: 0, squares: 0, misrouted: 0 };
  const rows = small.length;
  for (let row = 0; row < rows; row++) {
    const [ofSmall, ofLarge] = [small[row] as number, large[row] as number];
    sums.adaptive += escalated[row] ? ofLarge : ofSmall;
    sums.oracle += hard[row] ? ofLarge : ofSmall;
    sums.squares += (ofLarge - ofSmall) ** 2;
    sums.misrouted += escalated[row] === hard[row] ? 0 : 1;
  }
  const [adaptive, oracle, misrouted] = [sums.adaptive / rows, sums.oracle / rows, sums.misrouted / rows];
  const m = Math.sqrt(sums.squares / rows);
  return { rule, loss, adaptive, oracle, m, misrouted, bound: oracle + m * Math.sqrt(misrouted) };
}
