/** What a router is taught to say of each row, and whether there is anything to be learnt from the rows. */

import { SafeRouteError } from '../errors.js';
import type { JudgedRows } from './judged-rows.js';
import type { Lesson, Recipe } from './recipes.js';
import type { Split } from './split.js';

/** Of either kind, in the rows that are learnt from: fewer say nothing of any other. */
const kLeastOfAKind = 2;

/** `(rows)`, 0 to 1. */
export function targetsOf({ hard, gain }: Pick<JudgedRows, 'hard' | 'gain'>, lesson: Lesson): Float32Array {
  return lesson === 'hard' ? Float32Array.from(hard) : Float32Array.from(gain, (one) => (1 + one) / 2);
}

/** Throws ERR_DATA, naming the counts, for rows that teach nothing, or too few to judge by where the recipe judges as it goes. */
export function requireLearnable(path: string, hard: Uint8Array, { train, valid }: Split, { plan }: Recipe): void {
  const refuse = (problem: string): never => {
    throw new SafeRouteError('ERR_DATA', `${path}: ${problem}`);
  };
  const all = countHard(hard, [...hard.keys()]);
  if (all === 0) {
    refuse(
      `none of its ${hard.length} rows is hard, wrong by the small guard and right by the large: nothing to learn`,
    );
  }
  if (all === hard.length) refuse(`all of its ${hard.length} rows are hard: there is nothing to tell them from`);
  const learnt = countHard(hard, train);
  if (Math.min(learnt, train.length - learnt) < kLeastOfAKind) {
    refuse(
      `${learnt} of ${train.length} rows to learn from are hard; it takes ${kLeastOfAKind} hard and as many others`,
    );
  }
  const judged = countHard(hard, valid);
  if (plan.keep === 'bestAuprc' && (judged === 0 || judged === valid.length)) {
    refuse(
      `the recipe chooses its epoch by validation rows, of which ${judged} of ${valid.length} are hard; it takes hard and other ones`,
    );
  }
}

/** How many of `rows` are hard. */
export function countHard(hard: Uint8Array, rows: ArrayLike<number>): number {
  return Array.from(rows).reduce((sum, row) => sum + (hard[row] as number), 0);
}
