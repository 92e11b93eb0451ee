/** What an evaluation found, as tables on a terminal: rules in the mean, sets, and what each domain makes of escalation. */

import type { DomainFigures, Evaluation, RuleFigures, RuleName, SetEvaluation } from '../train/evaluation.js';
import { type Cell, type Column, tableHead, tableRow } from './table.js';
import { grouped, type Paint, percent } from './terminal.js';

const kNameWidth = 24;
/** Bounds that no rule can be run at: they are not among those compared. */
const kUnrunnable: readonly RuleName[] = ['oracle'];

export function renderEvaluation(evaluation: Evaluation, paint: Paint): string {
  const { sets, mean, notes } = evaluation;
  const one = sets.length === 1 ? sets[0] : undefined;
  const rules = one?.rules ?? mean.rules;
  const area = one?.area ?? mean.area;
  const blocks = [
    header(evaluation, paint),
    Object.keys(rules).length === 0 ? [] : ruleTable(one?.name ?? meanTitle(mean.sets), rules, area, paint),
    sets.length > 1 || one === undefined ? setTable(sets, paint) : [],
    boundTable(sets, paint),
    domainLines(sets, paint),
    notes.map((note) => paint('dim', `Note: ${note}`)),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function header({ pair, machine, latency_ms, sets }: Evaluation, paint: Paint): string[] {
  const rows = sets.reduce((sum, set) => sum + set.rows, 0);
  const timed =
    latency_ms === null
      ? 'no latency measured'
      : `one check at a time: ${ms(latency_ms.small)} small, ${ms(latency_ms.large)} large (medians of ${grouped(latency_ms.prompts)})`;
  return [
    paint('bold', `${grouped(rows)} rows in ${sets.length === 1 ? 'one set' : `${sets.length} sets`}`),
    `  small   ${pair.small}`,
    `  large   ${pair.large}`,
    `  router  ${pair.router ?? 'none'}${pair.benefit === null ? '' : `; benefit ${pair.benefit}`}`,
    `  ${machine.cpu}, ${machine.threads} threads, ${machine.precision}; ${timed}`,
  ];
}

function meanTitle(names: readonly string[]): string {
  return names.length === 1
    ? `${names[0]}, the one set with both classes`
    : `mean over the ${names.length} sets with both classes`;
}

const kRuleColumns: Column[] = [
  { title: 'rule', width: 10, align: 'left' },
  ...['F1', 'prec.', 'recall', 'acc.', 'AUPRC', 'FPR'].map((title): Column => ({ title, width: 6, align: 'right' })),
  { title: 'to large', width: 8, align: 'right' },
  { title: 'rout. F1', width: 8, align: 'right' },
  { title: 'area', width: 6, align: 'right' },
  { title: 'ms/row', width: 8, align: 'right' },
  { title: 'MFLOP/row', width: 10, align: 'right' },
];

/** What the table's words leave open. */
const kRuleKey =
  'random: expected values of a coin at ½ · oracle: just the hard rows go · area: under F1 against the share escalated · ms/row: by medians and share';

function ruleTable(title: string, rules: SetEvaluation['rules'], area: SetEvaluation['area'], paint: Paint): string[] {
  const entries = Object.entries(rules) as [RuleName, RuleFigures][];
  const best = Math.max(...entries.filter(([rule]) => !kUnrunnable.includes(rule)).map(([, { f1 }]) => f1 ?? -1));
  const rows = entries.map(([rule, figures]) => {
    const f1: Cell = { text: share(figures.f1), paint: (text) => (figures.f1 === best ? paint('bold', text) : text) };
    const line = tableRow(kRuleColumns, [
      rule,
      f1,
      ...[figures.precision, figures.recall, figures.accuracy, figures.auprc, figures.fpr].map(share),
      percent(figures.escalated),
      share(figures.routing_f1),
      share(area[rule] ?? null),
      figures.ms_per_row === null ? '–' : figures.ms_per_row.toFixed(2),
      figures.flop_per_row === null ? '–' : grouped(Math.round(figures.flop_per_row / 1e6)),
    ]);
    return kUnrunnable.includes(rule) ? paint('dim', line) : line;
  });
  return [paint('bold', title), ...head(kRuleColumns, paint), ...rows, paint('dim', kRuleKey)];
}

const kSetRules: readonly RuleName[] = ['small', 'large', 'random', 'entropy', 'router', 'benefit', 'oracle'];

/** F1 of the rules that a reader compares first; the rest is in the JSON. */
function setTable(sets: readonly SetEvaluation[], paint: Paint): string[] {
  const shown = kSetRules.filter((rule) => sets.some(({ rules }) => rules[rule] !== undefined));
  const routed: RuleName = shown.includes('router') ? 'router' : 'entropy';
  const columns: Column[] = [
    { title: 'set', width: kNameWidth, align: 'left' },
    { title: 'rows', width: 7, align: 'right' },
    { title: 'unsafe', width: 7, align: 'right' },
    { title: 'hard', width: 7, align: 'right' },
    ...shown.map((title): Column => ({ title, width: 7, align: 'right' })),
    { title: 'to large', width: 8, align: 'right' },
  ];
  const rows = sets.map((set) =>
    tableRow(columns, [
      set.name,
      grouped(set.rows),
      percent(set.unsafe / set.rows),
      percent(set.hard),
      // Without an unsafe row F1 is 0 or nothing, and says neither way how good a guard is.
      ...shown.map((rule) => share(set.unsafe === 0 ? null : (set.rules[rule]?.f1 ?? null))),
      percent(set.rules[routed]?.escalated ?? 0),
    ]),
  );
  return [paint('bold', `F1 of each set, and the share that ${routed} escalates`), ...head(columns, paint), ...rows];
}

/** What the paper's theorem lets a rule's share of wrong verdicts be at most. The log loss is in the JSON. */
function boundTable(sets: readonly SetEvaluation[], paint: Paint): string[] {
  const bounds = sets.flatMap((set) => set.bounds.map((bound) => ({ set: set.name, ...bound })));
  const shown = bounds.filter(({ loss }) => loss === 'zero-one');
  const rule = shown[0]?.rule ?? 'router';
  const columns: Column[] = [
    { title: 'set', width: kNameWidth, align: 'left' },
    ...[rule, 'oracle', 'at most'].map((title): Column => ({ title, width: 8, align: 'right' })),
  ];
  const rows = shown.map(({ set, adaptive, oracle, bound }) =>
    tableRow(columns, [set, percent(adaptive), percent(oracle), percent(Math.min(bound, 1))]),
  );
  const title = `Wrong verdicts by ${rule} and by the oracle, and the bound of SafeRoute's theorem 3.1`;
  return [paint('bold', title), ...head(columns, paint), ...rows];
}

function domainLines(sets: readonly SetEvaluation[], paint: Paint): string[] {
  const domains = sets.flatMap((set) => set.domains.map((domain) => ({ set: set.name, domain })));
  const count = (kind: DomainFigures['escalation']) =>
    domains.filter(({ domain }) => domain.escalation === kind).length;
  const summary = `In ${grouped(domains.length)} ${domains.length === 1 ? 'domain' : 'domains'} the large guard is better in ${count('helps')}, worse in ${count('hurts')}, and in ${count('unclear')} it cannot be told`;
  return [
    `${summary} (exact McNemar test at 5 %, Holm's correction over all of them).`,
    ...domains
      .filter(({ domain }) => domain.escalation === 'hurts')
      .map(({ set, domain }) => paint('red', hurtLine(set, domain))),
  ];
}

function hurtLine(
  set: string,
  { name, rows, small, large, only_large_right, only_small_right, p_holm }: DomainFigures,
): string {
  const place = name === '' || name === set ? set : `${set}, ${name}`;
  const p = p_holm < 0.0001 ? 'p < 0.0001' : `p = ${p_holm.toFixed(4)}`;
  const apart = `alone on ${grouped(only_large_right)}, the small one alone on ${grouped(only_small_right)}; ${p}`;
  return `${place}: the large guard is worse here, right on ${percent(large.accuracy)} of ${grouped(rows)} rows where the small one is on ${percent(small.accuracy)} (${apart}). Switch escalation off for this domain.`;
}

function head(columns: Column[], paint: Paint): string[] {
  const [titles = '', rules = ''] = tableHead(columns);
  return [titles, paint('dim', rules)];
}

function share(value: number | null): string {
  return value === null ? '–' : value.toFixed(4);
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
