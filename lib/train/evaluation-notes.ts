/** What a reader must know of an evaluation's figures that they do not show: which rows and sets count nowhere, and what was not held against what. */

import type { EvaluatedPair } from './evaluated-pair.js';
import type { OpenedSet } from './set-tables.js';

export function notesOn(
  sets: readonly OpenedSet[],
  { guards, benefit }: Pick<EvaluatedPair, 'guards' | 'benefit'>,
  { timed, computeIsKnown }: { timed: boolean; computeIsKnown: boolean },
): string[] {
  const notes: string[] = [];
  for (const { name, file, chosen, failed } of sets) {
    if (failed > 0) notes.push(`${name}: ${failed} of ${failed + file.rows} rows got no reading and count nowhere.`);
    const learnt = file.rows - chosen.length;
    if (learnt > 0) notes.push(`${name}: a router learnt from ${learnt} of ${file.rows} rows; they count nowhere.`);
  }
  const oneClass = sets.filter(({ table }) => new Set(table.label).size < 2).map(({ name }) => name);
  if (oneClass.length > 0) notes.push(`Left out of the means, since they hold one class only: ${oneClass.join(', ')}.`);
  const byLength = sets.filter(({ kind }) => timed && kind === 'features').map(({ name }) => name);
  if (byLength.length > 0) {
    notes.push(`Timed by prompts of the same lengths, without template and tokenizer: ${byLength.join(', ')}.`);
  }
  if (benefit !== null && benefit.recipe !== 'benefit') {
    const recipe =
      benefit.recipe === null ? 'does not say how it was trained' : `was trained by the recipe '${benefit.recipe}'`;
    notes.push(
      `benefit: ${benefit.path} ${recipe}; its output is read as (1 + the gain of escalating) / 2 all the same.`,
    );
  }
  if (guards === null) notes.push('The guards are not there: the features were not held against them.');
  if (!computeIsKnown) notes.push('Compute is not known: a guard has no checkpoint to take its shape from.');
  return notes;
}
