/** The whole page: one file that needs nothing beside it. */

import { Markup, markup } from '../../charts/markup.js';
import type { Evaluation, Latency } from '../evaluation.js';
import type { ReportCharts } from './charts.js';
import { definitions } from './definitions.js';
import { amount, grouped, kNone } from './figures.js';
import { headline } from './headline.js';
import type { RowTexts } from './row-texts.js';
import { confusionSection, curveSections, reliabilitySection, scoreSection } from './set-sections.js';
import { kContentPolicy, kScript, kStyle } from './style.js';
import { boundarySection, boundSection, domainSection, ruleSection } from './table-sections.js';

const kContents = [
  ['rules', 'Rules'],
  ['sets', 'Sets'],
  ['curves', 'F1 against cost'],
  ['domains', 'Domains'],
  ['scores', 'Scores and hardness'],
  ['reliability', 'Reliability'],
  ['confusion', 'Right and wrong'],
  ['bounds', 'Risk bounds'],
  ['boundary', 'Boundary rows'],
  ['run', 'What was run'],
  ['definitions', 'Definitions'],
] as const;

export function page(evaluation: Evaluation, charts: ReportCharts, texts: RowTexts | null): string {
  const title = `SafeRoute evaluation, ${day(evaluation.created)}`;
  return markup`${new Markup('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${kContentPolicy}">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(kStyle)}</style>
</head>
<body>
<header><h1>${title}</h1></header>
<main>
${headline(evaluation)}
<nav aria-label="Contents"><ul>${kContents.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
${ruleSection(evaluation)}
${curveSections(evaluation, charts)}
${domainSection(evaluation, charts.domains)}
${scoreSection(evaluation, charts)}
${reliabilitySection(evaluation, charts)}
${confusionSection(evaluation)}
${boundSection(evaluation)}
${boundarySection(evaluation, texts)}
${runSection(evaluation)}
${definitions(evaluation)}
</main>
<footer>Made by saferoute report. The figures are those of the evaluation, and hold for its pair on its sets: other traffic needs labels of its own.</footer>
<script>${new Markup(kScript)}</script>
</body>
</html>
`.text;
}

function runSection({ created, pair, machine, latency_ms, sets }: Evaluation): Markup {
  const facts: [string, string][] = [
    ['date', created],
    ['small guard', pair.small],
    ['large guard', pair.large],
    ['router', pair.router ?? kNone],
    ['router for benefit', pair.benefit ?? kNone],
    ['escalation', JSON.stringify(pair.escalation) ?? kNone],
    ['unsafe above', String(pair.unsafe_at)],
    ['machine', `${machine.cpu}, ${grouped(machine.threads)} threads, ${machine.precision}`],
    ['a check', latency(latency_ms)],
    ...sets.map(({ name, path, latency_ms: own }): [string, string] => [
      `set ${name}`,
      own === null ? path : `${path}; ${latency(own)}`,
    ]),
  ];
  return markup`<section aria-labelledby="run"><h2 id="run">What was run</h2>
<dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl></section>`;
}

function latency(one: Latency | null): string {
  if (one === null) return 'latency not measured';
  return `small ${amount(one.small)} ms, large ${amount(one.large)} ms (medians of ${grouped(one.prompts)} prompts, one at a time)`;
}

/** The day in UTC, the same wherever the report is made. */
function day(created: string): string {
  return new Date(created).toISOString().slice(0, 10);
}
