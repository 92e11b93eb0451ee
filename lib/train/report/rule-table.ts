/** Tables of rules: their figures in the mean and in each set, the best of every column marked. */

import { type Markup, markup } from '../../charts/markup.js';
import type { Evaluation, RuleFigures, RuleName } from '../evaluation.js';
import { amount, cases, flopUnit, grouped, percent, score } from './figures.js';
import { ruleName } from './rule-name.js';
import { ruleInForce, rulesOf } from './rules.js';

type Best = 'most' | 'least' | null;

interface Column {
  title: string;
  read: (figures: RuleFigures, rule: RuleName) => number | null | undefined;
  format: (value: number | null | undefined) => string;
  /** Which value is the best one; null where a column only says what a rule spends: nothing beats spending nothing. */
  best: Best;
}

const kColumns: readonly Column[] = [
  { title: 'escalated', read: (one) => one.escalated, format: percent, best: null },
  { title: 'F1', read: (one) => one.f1, format: score, best: 'most' },
  { title: 'precision', read: (one) => one.precision, format: score, best: 'most' },
  { title: 'recall', read: (one) => one.recall, format: score, best: 'most' },
  { title: 'accuracy', read: (one) => one.accuracy, format: score, best: 'most' },
  { title: 'AUPRC', read: (one) => one.auprc, format: score, best: 'most' },
  { title: 'FPR', read: (one) => one.fpr, format: score, best: 'least' },
  { title: 'routing F1', read: (one) => one.routing_f1, format: score, best: 'most' },
];
const kCounts: readonly Column[] = (['tp', 'fp', 'tn', 'fn'] as const).map((key) => ({
  title: key.toUpperCase(),
  read: (one) => one.confusion[key],
  format: cases,
  best: null,
}));

function costs(rules: Figures['rules']): Column[] {
  const { name, flop } = flopUnit(rulesOf(rules).map((rule) => rules[rule]?.flop_per_row ?? null));
  const inUnit = ({ flop_per_row: value }: RuleFigures) => (value === null ? null : value / flop);
  return [
    { title: 'ms / row', read: (one) => one.ms_per_row, format: amount, best: null },
    { title: `${name} / row`, read: inUnit, format: amount, best: null },
  ];
}

type Figures = Pick<Evaluation['mean'], 'rules' | 'area'>;

/** The figures of every rule; `name` is what the table shows. Counts of rows only where asked for: of a mean they say nothing. */
export function ruleTable(
  figures: Figures,
  inForce: RuleName | null,
  { name, counts }: { name: string; counts: boolean },
): Markup {
  const area: Column = { title: 'area', read: (_, rule) => figures.area[rule], format: score, best: 'most' };
  const columns = [...kColumns, area, ...costs(figures.rules), ...(counts ? kCounts : [])];
  const rules = rulesOf(figures.rules);
  const best = columns.map((column) => bestValue(column, figures, rules));
  const row = (rule: RuleName) => {
    const cells = columns.map((column, index) => cell(shownValue(column, figures, rule), best[index] ?? null, rule));
    return markup`<tr${rule === inForce && markup` class="force"`}><th scope="row">${ruleName(rule, rule === inForce)}</th>${cells}</tr>`;
  };
  return scrolling(
    name,
    markup`<thead><tr><th scope="col">rule</th>${columns.map(({ title }) => markup`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rules.map(row)}</tbody>`,
  );
}

/** F1 of every rule in every set. */
export function setTable(evaluation: Evaluation): Markup {
  const inForce = ruleInForce(evaluation);
  const { sets, mean } = evaluation;
  const groups = [...sets.map(({ name, rules }) => ({ name, rules })), { name: 'mean', rules: mean.rules }];
  const f1 = kColumns.find(({ title }) => title === 'F1') as Column;
  const rules = rulesOf(Object.assign({}, ...groups.map((group) => group.rules)));
  const best = groups.map((group) => bestValue(f1, { rules: group.rules, area: {} }, rules));
  const row = (rule: RuleName) => {
    const cells = groups.map((group, index) => cell(score(group.rules[rule]?.f1), best[index] ?? null, rule));
    return markup`<tr${rule === inForce && markup` class="force"`}><th scope="row">${ruleName(rule, rule === inForce)}</th>${cells}</tr>`;
  };
  return scrolling(
    'F1 of every rule in every set',
    markup`<thead><tr><th scope="col">F1</th>${groups.map(({ name }) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rules.map(row)}
${setRow(
  'rows',
  sets.map(({ rows }) => grouped(rows)),
)}
${setRow(
  'unsafe',
  sets.map(({ rows, unsafe }) => percent(rows === 0 ? null : unsafe / rows)),
)}
${setRow(
  'hard',
  sets.map(({ hard }) => percent(hard)),
)}</tbody>`,
  );
}

/** A table that scrolls within the page, also by keyboard. */
export function scrolling(name: string, body: Markup): Markup {
  return markup`<div class="scroll" role="region" aria-label="${name}" tabindex="0"><table><caption class="unseen">${name}</caption>${body}</table></div>`;
}

function setRow(title: string, values: readonly string[]): Markup {
  return markup`<tr class="aside"><th scope="row">${title}</th>${values.map((value) => markup`<td>${value}</td>`)}<td></td></tr>`;
}

function shownValue(column: Column, figures: Figures, rule: RuleName): string {
  const one = figures.rules[rule];
  return column.format(one && column.read(one, rule));
}

/** As it is shown, so that all who share it are marked; the oracle, which no one can run, is left out. */
function bestValue(column: Column, figures: Figures, rules: readonly RuleName[]): string | null {
  if (column.best === null) return null;
  const values = rules.flatMap((rule) => {
    const one = rule === 'oracle' ? undefined : figures.rules[rule];
    const value = one && column.read(one, rule);
    return typeof value === 'number' ? [value] : [];
  });
  if (values.length < 2) return null;
  return column.format(column.best === 'most' ? Math.max(...values) : Math.min(...values));
}

function cell(shown: string, best: string | null, rule: RuleName): Markup {
  if (shown === best && rule !== 'oracle') return markup`<td><strong class="best">${shown}</strong></td>`;
  return markup`<td>${shown}</td>`;
}
