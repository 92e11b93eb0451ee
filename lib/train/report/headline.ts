/** The top of the report: the judgement in one sentence, and the figures it rests on in plain words. */

import { type Markup, markup } from '../../charts/markup.js';
import type { CurvePoint, Evaluation } from '../evaluation.js';
import { domainName } from './domain-chart.js';
import { amount, counted, enumerated, percent, score, signed } from './figures.js';
import { type Findings, findingsOf, kSameF1 } from './findings.js';
import { kRules } from './rules.js';

/** How long a list of domains may be in a sentence. */
const kNamedDomains = 4;

export function headline(evaluation: Evaluation): Markup {
  const findings = findingsOf(evaluation);
  return markup`<section aria-labelledby="headline" class="headline">
<h2 id="headline">${verdict(findings)}</h2>
${tiles(findings)}
<ul class="plain">${sentences(evaluation, findings).map((sentence) => markup`<li>${sentence}</li>`)}</ul>
</section>`;
}

function verdict({ judgement, rule, byEntropy: entropy }: Findings): string {
  const name = rule === null ? 'its rule' : kRules[rule].name;
  switch (judgement) {
    case 'worth':
      return entropy
        ? 'Entropy is worth it: the pair judges better than its small guard alone, and than chance would at the same cost.'
        : 'The router is worth it: at the same cost, neither chance nor entropy lets the pair judge as well.';
    case 'level':
      return 'Escalation is worth it, the router is not yet: entropy, which needs none, judges as well at the same cost.';
    case 'rival-better':
      return entropy
        ? 'Entropy is not the best rule here: a router judges better at the same cost.'
        : 'The router is not worth it here: entropy, which needs none, judges better at the same cost.';
    case 'chance':
      return `The rule in force, ${name}, is not worth it here: it picks rows no better than chance.`;
    case 'no-gain':
      return 'The pair is not worth it here: it judges no better than its small guard alone.';
    case 'one-guard':
      return `The pair runs ${name}: no rule picks rows, so there is none to judge.`;
    case 'unknown':
      return 'Whether the pair is worth it cannot be told from these figures.';
  }
}

/** The four figures that people ask for first. */
function tiles({ small, pair, large, rule }: Findings): Markup | null {
  if (pair === null) return null;
  const name = rule === null ? '' : kRules[rule].name;
  const tile = (label: string, value: string, note: string) =>
    markup`<div class="tile"><dt>${label}</dt><dd><b>${value}</b><span>${note}</span></dd></div>`;
  const against = (figures: typeof small) =>
    figures === null || figures.f1 === null || pair.f1 === null ? '' : signed(pair.f1 - figures.f1);
  return markup`<dl class="tiles">
${tile('Mean F1 of the pair', score(pair.f1), `rule: ${name}`)}
${tile('Against the small guard', against(small) || '–', `alone it reaches ${score(small?.f1)}`)}
${tile('Against the large guard', against(large) || '–', `alone it reaches ${score(large?.f1)}`)}
${tile('Read by the large guard', percent(pair.escalated), 'of the rows')}
</dl>`;
}

function sentences(evaluation: Evaluation, findings: Findings): (string | Markup)[] {
  return [
    basis(evaluation),
    gain(findings),
    cost(findings),
    rivals(findings),
    threshold(evaluation, findings),
    headroom(findings),
    harm(findings),
  ].filter((sentence) => sentence !== null);
}

function basis({ mean, sets }: Evaluation): string {
  if (mean.sets.length === 0) {
    return 'No set holds both safe and unsafe rows, so there is no F1 to be averaged and no curve to be drawn.';
  }
  const rows = sets.reduce((sum, set) => sum + set.rows, 0);
  const left = sets.length - mean.sets.length;
  const without = left === 0 ? '' : ` (${left} more of one class only left out of the mean)`;
  return `Measured on ${counted(rows, 'labelled row')} in ${counted(sets.length, 'set')}; every mean counts each of ${counted(mean.sets.length, 'set')} alike${without}.`;
}

function gain({ small, large, pair }: Findings): string | null {
  if (pair?.f1 == null || small?.f1 == null) return null;
  const moved = pair.f1 - small.f1;
  const verb = Math.abs(moved) <= kSameF1 ? 'leaves F1 where it is' : moved > 0 ? 'raises F1' : 'lowers F1';
  const first = `What it gains: escalation ${verb}, from ${score(small.f1)} with the small guard alone to ${score(pair.f1)} (${signed(moved)})`;
  if (large?.f1 == null) return `${first}.`;
  return `${first}; the large guard alone reaches ${score(large.f1)}.`;
}

function cost({ small, large, pair }: Findings): string | null {
  if (pair === null) return null;
  const share = `What it costs: the large guard reads ${percent(pair.escalated)} of the rows`;
  if (pair.ms_per_row === null || !small?.ms_per_row || !large?.ms_per_row)
    return `${share}; latency was not measured.`;
  const times = amount(pair.ms_per_row / small.ms_per_row);
  return `${share}. A row takes ${amount(pair.ms_per_row)} ms in the mean: ${times} × the small guard alone (${amount(small.ms_per_row)} ms), ${percent(pair.ms_per_row / large.ms_per_row)} of the large guard alone (${amount(large.ms_per_row)} ms).`;
}

function rivals({ pair, random, rival: other }: Findings): string | null {
  if (pair?.f1 == null) return null;
  const named = [random, other].flatMap((rival) =>
    rival === null ? [] : [`${kRules[rival.rule].name} reaches ${score(rival.f1)}`],
  );
  if (named.length === 0) return null;
  return `Whether the rule earns it: where they send as many rows to the large guard, ${enumerated(named)}, against its ${score(pair.f1)}.`;
}

/** Where the rule's own curve has a better point than the one that it was run at. */
function threshold({ mean }: Evaluation, { pair, rule }: Findings): string | null {
  const curve = (rule !== null && mean.curves[rule]) || [];
  const best = curve.reduce<CurvePoint | null>((top, point) => ((point.f1 ?? 0) > (top?.f1 ?? 0) ? point : top), null);
  if (pair?.f1 == null || best?.f1 == null || best.f1 - pair.f1 <= kSameF1) return null;
  return `Another threshold would reach a higher F1: with ${percent(best.escalated)} of the rows escalated the same rule has ${score(best.f1)}. Choose thresholds with saferoute calibrate, on rows that nothing is judged by.`;
}

function headroom({ small, pair, oracle }: Findings): string | null {
  if (pair?.f1 == null || small?.f1 == null || oracle?.f1 == null || oracle.f1 - small.f1 <= kSameF1) return null;
  const caught = (pair.f1 - small.f1) / (oracle.f1 - small.f1);
  return `What is left: a rule that made no mistake would reach ${score(oracle.f1)} with ${percent(oracle.escalated)} of the rows escalated; the pair has ${percent(caught)} of that gain.`;
}

function harm({ hurt }: Findings): Markup | null {
  if (hurt.length === 0) return null;
  const named = hurt.slice(0, kNamedDomains).map(({ domain }) => `“${domainName(domain)}”`);
  const more = hurt.length - named.length;
  const names = more > 0 ? `${named.join(', ')} and ${more} more` : enumerated(named);
  return markup`<strong class="hurts">▼ Escalation hurts in ${counted(hurt.length, 'domain')}: ${names}.</strong> The large guard is the worse one there; <a href="#domains">see what to do</a>.`;
}
