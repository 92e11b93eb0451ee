/** Figures per domain (the rows' `source`): where does escalation help, where does it hurt, and where can that not be told? */

import type { DomainFigures, SetEvaluation } from './evaluation.js';
import type { FeatureTable } from './feature-table.js';
import type { JudgedRows } from './judged-rows.js';
import { holm, mcnemar } from './mcnemar.js';
import { classified } from './rule-figures.js';

/** Chance of a wrong "helps" or "hurts" among all domains of an evaluation. */
const kSignificance = 0.05;

/** Every domain tested alone; `correctDomains` then tells which of them hold among all. */
export function domainsOf(table: Pick<FeatureTable, 'source' | 'sources'>, rows: JudgedRows): DomainFigures[] {
  const rowsOf = table.sources.map((): number[] => []);
  for (const [row, source] of table.source.entries()) (rowsOf[source] as number[]).push(row);
  return table.sources
    .map((name, source) => domain(name, Uint32Array.from(rowsOf[source] as number[]), rows))
    .filter((figures) => figures.rows > 0);
}

/** Sets `p_holm` and `escalation` of every domain of all sets, in place: one family of tests. */
export function correctDomains(sets: readonly Pick<SetEvaluation, 'domains'>[]): void {
  const domains = sets.flatMap((set) => set.domains);
  const adjusted = holm(domains.map(({ p_value }) => p_value));
  domains.forEach((one, place) => {
    one.p_holm = adjusted[place] as number;
    one.escalation = verdictOf(one);
  });
}

function domain(name: string, chosen: Uint32Array, rows: JudgedRows): DomainFigures {
  const labels = Int8Array.from(chosen, (row) => rows.labels[row] as number);
  const figures = ({ scores, flags }: JudgedRows['small']) =>
    classified(labels, {
      scores: Float64Array.from(chosen, (row) => scores[row] as number),
      flags: Uint8Array.from(chosen, (row) => flags[row] as number),
    });
  const count = (gain: number) => chosen.reduce((sum, row) => sum + (rows.gain[row] === gain ? 1 : 0), 0);
  const [onlyLarge, onlySmall] = [count(1), count(-1)];
  const p = mcnemar(onlyLarge, onlySmall);
  return {
    name,
    rows: chosen.length,
    unsafe: labels.reduce((sum, label) => sum + label, 0),
    small: figures(rows.small),
    large: figures(rows.large),
    only_large_right: onlyLarge,
    only_small_right: onlySmall,
    escalation: 'unclear',
    p_value: p,
    p_holm: p,
  };
}

function verdictOf({ p_holm, only_large_right, only_small_right }: DomainFigures): DomainFigures['escalation'] {
  if (p_holm >= kSignificance) return 'unclear';
  return only_large_right > only_small_right ? 'helps' : 'hurts';
}
