/** The parts of the report that are tables: rules, sets, domains, risk bounds and the rows at the boundary. */

import { type Markup, markup } from '../../charts/markup.js';
import { inlinePlot, type Plot } from '../../charts/plot.js';
import type { BoundaryRow, DomainFigures, Evaluation, RuleName, RuleSettings, SetEvaluation } from '../evaluation.js';
import { domainName, kMostDomains } from './domain-chart.js';
import { amount, counted, enumerated, grouped, kNone, percent, probability, score } from './figures.js';
import type { RowTexts } from './row-texts.js';
import { ruleName } from './rule-name.js';
import { ruleTable, scrolling, setTable } from './rule-table.js';
import { kRules, ruleInForce, rulesOf } from './rules.js';

export function ruleSection(evaluation: Evaluation): Markup {
  const inForce = ruleInForce(evaluation);
  const { mean, sets, notes } = evaluation;
  const whole =
    mean.sets.length === 0
      ? markup`<p class="none">${kNone} no set holds both classes</p>`
      : ruleTable(mean, inForce, { name: 'Every rule, mean over the sets', counts: false });
  return markup`<section aria-labelledby="rules"><h2 id="rules">The rules, mean over the sets</h2>
<p>The best of each column is underlined and bold; the oracle, which knows the labels, is out of the running. <a href="#definitions">What the words mean</a>.</p>
${whole}
${notes.length > 0 && markup`<ul class="plain">${notes.map((note) => markup`<li>${note}</li>`)}</ul>`}
<details><summary>What each rule was run with</summary>${settingsTable(evaluation.settings)}</details></section>
<section aria-labelledby="sets"><h2 id="sets">Set by set</h2>
${setTable(evaluation)}
${sets.map((set) => markup`<details><summary>${set.name}: every figure</summary>${ruleTable(set, inForce, { name: `Every rule, ${set.name}`, counts: true })}<p class="none">${counted(set.rows, 'row')} of <code>${set.path}</code></p></details>`)}</section>`;
}

export function domainSection({ sets }: Evaluation, plot: Plot | null): Markup {
  const domains = sets.flatMap((set) => set.domains.map((domain) => ({ set: set.name, domain })));
  const order: readonly DomainFigures['escalation'][] = ['hurts', 'helps', 'unclear'];
  const sorted = order.flatMap((kind) => domains.filter(({ domain }) => domain.escalation === kind));
  const hurt = domains.filter(({ domain }) => domain.escalation === 'hurts');
  const advice =
    hurt.length > 0 &&
    markup`<p><strong class="hurts">▼ Switch escalation off where it hurts.</strong> In ${counted(hurt.length, 'domain')} the large guard judges worse than the small one, so that every escalated row is money spent on a worse verdict. Serve that traffic with <code>escalation: { kind: 'never' }</code> (on the command line <code>--escalation never</code>), or train the router for benefit, which learns where the large guard loses.</p>`;
  const row = ({ set, domain }: (typeof domains)[number]) =>
    markup`<tr><th scope="row" class="name">${domainName(domain)}</th><td class="words">${set}</td><td>${grouped(domain.rows)}</td><td>${percent(domain.rows === 0 ? null : domain.unsafe / domain.rows)}</td><td>${score(domain.small.f1)}</td><td>${score(domain.large.f1)}</td><td>${grouped(domain.only_large_right)}</td><td>${grouped(domain.only_small_right)}</td><td>${probability(domain.p_value)}</td><td>${probability(domain.p_holm)}</td><td class="words">${effect(domain.escalation)}</td></tr>`;
  const table = scrolling(
    'Domains',
    markup`<thead><tr><th scope="col">domain</th><th scope="col" class="words">set</th><th scope="col">rows</th><th scope="col">unsafe</th><th scope="col">F1 small</th><th scope="col">F1 large</th><th scope="col">only large right</th><th scope="col">only small right</th><th scope="col">p</th><th scope="col">p, Holm</th><th scope="col" class="words">escalation</th></tr></thead><tbody>${sorted.map(row)}</tbody>`,
  );
  const most = domains.length > kMostDomains && markup` The ${kMostDomains} where most changes.`;
  const chart =
    plot !== null &&
    markup`<figure class="narrow"><figcaption>What escalating everything wins and loses<span>rows in 100, by domain.${most}</span></figcaption>${inlinePlot(plot)}</figure>`;
  return markup`<section aria-labelledby="domains"><h2 id="domains">Domains: where escalation helps, and where it hurts</h2>
${advice}${domains.length === 0 ? markup`<p class="none">${kNone} the rows name no source</p>` : markup`${table}${chart}`}</section>`;
}

export function boundSection({ sets }: Evaluation): Markup {
  const rows = sets.flatMap(({ name, bounds }) => bounds.map((bound) => ({ name, bound })));
  const body = rows.map(
    ({ name, bound }) =>
      markup`<tr><th scope="row" class="name">${name}</th><td class="words">${kRules[bound.rule].name}</td><td class="words">${bound.loss}</td><td>${score(bound.adaptive)}</td><td>${score(bound.oracle)}</td><td>${score(bound.m)}</td><td>${percent(bound.misrouted)}</td><td>${score(bound.bound)}</td></tr>`,
  );
  const table = scrolling(
    'Risk bounds',
    markup`<thead><tr><th scope="col">set</th><th scope="col" class="words">rule</th><th scope="col" class="words">loss</th><th scope="col">risk of the rule</th><th scope="col">risk of the oracle</th><th scope="col">M</th><th scope="col">misrouted</th><th scope="col">bound</th></tr></thead><tbody>${body}</tbody>`,
  );
  return markup`<section aria-labelledby="bounds"><h2 id="bounds">Risk bounds</h2>
<p>How far the pair’s risk can lie over the oracle’s, given how many rows are routed otherwise than by the oracle. The risk of the rule is at most the bound; a bound much above it says that misrouted rows cost little.</p>
${rows.length === 0 ? markup`<p class="none">${kNone}</p>` : table}</section>`;
}

/** `texts`: null, and rows are named by their ids alone. */
export function boundarySection({ sets, pair }: Evaluation, texts: RowTexts | null): Markup {
  const table = (set: SetEvaluation) =>
    set.boundary.length === 0
      ? markup`<p class="none">${kNone} no rows were kept</p>`
      : boundaryTable(set, pair.unsafe_at, texts);
  const privacy =
    texts === null
      ? 'Rows are named by id; their texts are not in this report.'
      : `Texts are those of ${enumerated(texts.paths)}, where the row is in there, cut where they are long.`;
  return markup`<section aria-labelledby="boundary"><h2 id="boundary">Rows at the boundary</h2>
<p>The rows nearest to the threshold: the next ones to change sides if it moves. ${privacy} A score with ✗ is a wrong verdict.</p>
${sets.map((set) => markup`<details><summary>${set.name}: ${counted(set.boundary.length, 'row')}</summary>${table(set)}</details>`)}</section>`;
}

function boundaryTable(set: SetEvaluation, unsafeAt: number, texts: RowTexts | null): Markup {
  const reading = (value: number, label: BoundaryRow['label']) =>
    value > unsafeAt === (label === 'unsafe') ? markup`<td>${score(value)}</td>` : markup`<td>✗ ${score(value)}</td>`;
  const row = (one: BoundaryRow) =>
    markup`<tr><th scope="row" class="name"><code>${one.id}</code></th><td class="words">${one.source === '' ? kNone : one.source}</td><td class="words">${one.label}</td>${reading(one.small, one.label)}${reading(one.large, one.label)}<td>${score(one.hardness)}</td>${texts !== null && markup`<td class="words"><pre>${texts.byId.get(one.id) ?? kNone}</pre></td>`}</tr>`;
  return scrolling(
    `Rows at the boundary, ${set.name}`,
    markup`<thead><tr><th scope="col">id</th><th scope="col" class="words">source</th><th scope="col" class="words">label</th><th scope="col">small</th><th scope="col">large</th><th scope="col">hardness</th>${texts !== null && markup`<th scope="col" class="words">text</th>`}</tr></thead><tbody>${set.boundary.map(row)}</tbody>`,
  );
}

function settingsTable(settings: Partial<Record<RuleName, RuleSettings>>): Markup {
  const columns = ['threshold', 'share', 'temperature', 'prior', 'large_weight'] as const;
  const row = (rule: RuleName) =>
    markup`<tr><th scope="row">${ruleName(rule, false)}</th>${columns.map((key) => markup`<td>${amount(settings[rule]?.[key])}</td>`)}</tr>`;
  return scrolling(
    'What each rule was run with',
    markup`<thead><tr><th scope="col">rule</th>${columns.map((key) => markup`<th scope="col">${key.replace('_', ' ')}</th>`)}</tr></thead><tbody>${rulesOf(settings).map(row)}</tbody>`,
  );
}

function effect(escalation: DomainFigures['escalation']): Markup {
  if (escalation === 'unclear') return markup`unclear`;
  return markup`<strong class="${escalation}">${escalation === 'hurts' ? '▼' : '▲'} ${escalation}</strong>`;
}
