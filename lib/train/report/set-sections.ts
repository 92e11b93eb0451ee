/** The parts of the report that show a chart or a matrix for each set: curves, scores, hardness, reliability, confusion. */

import { type Markup, markup } from '../../charts/markup.js';
import { inlinePlot, type LegendEntry, type Plot } from '../../charts/plot.js';
import type { Confusion, Evaluation, RuleName, SetEvaluation } from '../evaluation.js';
import type { ReportCharts, SetCharts } from './charts.js';
import { legendOf } from './curve-chart.js';
import { cases, grouped, kNone, percent, score } from './figures.js';
import { calibrationError } from './reliability-chart.js';
import { kRules, ruleInForce } from './rules.js';

export function curveSections(evaluation: Evaluation, charts: ReportCharts): Markup {
  const { mean, sets } = evaluation;
  const all = { rules: Object.assign({}, mean.rules, ...sets.map((set) => set.rules)), curves: {} };
  const rows = (cost: 'escalation' | 'latency') =>
    sets.map((set, index) => figure(set.name, sizeOf(set), charts.sets[index]?.[cost] ?? null));
  return markup`<section aria-labelledby="curves"><h2 id="curves">F1 against what it costs</h2>
<p>Each line is a rule over all its thresholds, from escalating nothing to escalating everything; its mark is where it was run. Higher is better, further left is cheaper. Every chart has its own scale of F1. A mark of the mean is the mean of the sets’ marks, and so may lie beside its line.</p>
${legend(legendOf(all))}
<div class="wide">${figure('Mean over the sets', 'F1 against escalation', charts.mean.escalation)}${figure('Mean over the sets', 'F1 against latency', charts.mean.latency)}</div>
<h3>Against escalation, set by set</h3><div class="grid">${rows('escalation')}</div>
<h3 class="later">Against latency, set by set</h3><div class="grid">${rows('latency')}</div></section>`;
}

export function scoreSection({ sets, pair }: Evaluation, charts: ReportCharts): Markup {
  const row = (set: SetEvaluation, index: number) => {
    const drawn = charts.sets[index];
    const alone = (guard: 'small' | 'large') => `alone: F1 ${score(set.rules[guard]?.f1)}`;
    const hardness =
      set.hardness !== null &&
      figure(`${set.name}: router`, `${percent(set.hard)} of the rows are hard`, drawn?.hardness ?? null);
    return markup`<div class="grid">${figure(`${set.name}: small guard`, alone('small'), drawn?.small ?? null)}${figure(`${set.name}: large guard`, alone('large'), drawn?.large ?? null)}${hardness}</div>`;
  };
  return markup`<section aria-labelledby="scores"><h2 id="scores">Scores and hardness</h2>
<p>How each guard scores safe and unsafe rows, and what the router says of hard and easy ones. The dashed line is the cut (scores: ${pair.unsafe_at}): what lies on its wrong side is judged, or routed, wrongly. Bars are shares of their own group, both groups of a chart on one scale.</p>
${sets.map(row)}</section>`;
}

export function reliabilitySection({ sets }: Evaluation, charts: ReportCharts): Markup {
  const rows = sets.map((set, index) => {
    const { small, large } = set.reliability;
    const errors = `calibration error: small ${score(calibrationError(small))}, large ${score(calibrationError(large))}`;
    return figure(set.name, errors, charts.sets[index]?.reliability ?? null);
  });
  const entries = charts.sets.find(({ reliability }: SetCharts) => reliability !== null)?.reliability?.legend ?? [];
  return markup`<section aria-labelledby="reliability"><h2 id="reliability">Reliability</h2>
<p>On the diagonal a score means what it says; below it a guard is too sure that rows are unsafe, above it too sure that they are safe.</p>
${legend(entries)}<div class="grid">${rows}</div></section>`;
}

export function confusionSection(evaluation: Evaluation): Markup {
  const inForce = ruleInForce(evaluation);
  const rules = [...new Set<RuleName | null>(['small', inForce, 'large'])];
  const matrices = (set: SetEvaluation) =>
    rules.map((rule) => {
      const figures = rule === null ? undefined : set.rules[rule];
      return figures === undefined ? null : matrix(kRules[rule as RuleName].name, figures.confusion);
    });
  return markup`<section aria-labelledby="confusion"><h2 id="confusion">Right and wrong</h2>
<p>How many rows each guard, and the pair, judge rightly and wrongly; the counts of all other rules are in the tables above. Errors are shaded.</p>
${evaluation.sets.map((set) => markup`<h3>${set.name}</h3><div class="matrices">${matrices(set)}</div>`)}</section>`;
}

function matrix(name: string, { tp, fp, tn, fn }: Confusion): Markup {
  const cell = (count: number, of: number, wrong: boolean) =>
    markup`<td${wrong && markup` class="wrong"`}>${cases(count)}<span>${of === 0 ? kNone : percent(count / of)}</span></td>`;
  return markup`<table class="matrix"><caption>${name}</caption><thead><tr><td></td><th scope="col">judged safe</th><th scope="col">judged unsafe</th></tr></thead>
<tbody><tr><th scope="row">safe</th>${cell(tn, tn + fp, false)}${cell(fp, tn + fp, true)}</tr><tr><th scope="row">unsafe</th>${cell(fn, tp + fn, true)}${cell(tp, tp + fn, false)}</tr></tbody></table>`;
}

function figure(title: string, note: string, plot: Plot | null): Markup {
  const body = plot === null ? markup`<p class="none">${kNone} nothing to draw</p>` : inlinePlot(plot);
  return markup`<figure><figcaption>${title}<span>${note}</span></figcaption>${body}</figure>`;
}

function legend(entries: readonly LegendEntry[]): Markup {
  return markup`<ul class="legend" aria-label="Legend">${entries.map(({ name, swatch }) => markup`<li class="rule"><svg viewBox="0 0 28 12" aria-hidden="true">${swatch}</svg>${name}</li>`)}</ul>`;
}

function sizeOf({ rows, unsafe }: SetEvaluation): string {
  return `${grouped(rows)} rows, ${percent(rows === 0 ? null : unsafe / rows)} unsafe`;
}
