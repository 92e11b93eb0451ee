/** Where escalation helps and where it hurts: for each domain, how many rows only one of the two guards gets right. */

import { place } from '../../charts/marks.js';
import { type Markup, markup } from '../../charts/markup.js';
import { type Paint, paint } from '../../charts/palette.js';
import type { Plot } from '../../charts/plot.js';
import type { Scale } from '../../charts/scale.js';
import type { DomainFigures } from '../evaluation.js';

/** More would not be read; those where most changes are shown. */
export const kMostDomains = 30;
const kRowHeight = 36;
const kFrameHeight = 54;
const kLongestName = 34; // characters that fit beside the figure
const kColours: Readonly<Record<DomainFigures['escalation'], Paint>> = {
  helps: 'green',
  hurts: 'red',
  unclear: 'grey',
};

/** null where there is no domain. */
export function domainPlot(id: string, title: string, domains: readonly DomainFigures[]): Plot | null {
  if (domains.length === 0) return null;
  const shown = [...domains]
    .sort((one, other) => Math.abs(gain(other)) - Math.abs(gain(one)))
    .slice(0, kMostDomains)
    .sort((one, other) => gain(other) - gain(one));
  const gains = shown.map(gain);
  return {
    id,
    title,
    description: `Rows in 100 that the large guard gets right and the small one wrong, less those of the other way round: ${shown.map((domain) => `${domain.name} ${text(domain)}`).join('; ')}.`,
    height: kFrameHeight + shown.length * kRowHeight,
    x: {
      title: 'rows in 100 won by escalating everything (left of 0: lost)',
      range: [Math.min(0, ...gains), Math.max(0, ...gains)],
      ticks: 5,
      format: (value, decimals) => value.toFixed(decimals).replace('-', '−'),
    },
    y: { title: '', range: [0, shown.length], ticks: shown.length, format: () => '' },
    legend: [],
    draw: (x, y) => markup`${shown.map((domain, index) => bar(domain, y.at(shown.length - index), x))}`,
  };
}

/** Rows that name no source are a domain too. */
export function domainName({ name }: Pick<DomainFigures, 'name'>): string {
  return name === '' ? 'no source named' : name;
}

/** Rows in 100. */
function gain({ only_large_right, only_small_right, rows }: DomainFigures): number {
  return rows === 0 ? 0 : ((only_large_right - only_small_right) / rows) * 100;
}

function text(domain: DomainFigures): string {
  const value = gain(domain);
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)} (${domain.escalation})`;
}

/** The name stands over its bar: names are long, and the width of a telephone is not. */
function bar(domain: DomainFigures, top: number, x: Scale): Markup {
  const [from, to] = [x.at(0), x.at(gain(domain))].sort((one, other) => one - other) as [number, number];
  const letters = [...domain.name];
  const name = letters.length > kLongestName ? `${letters.slice(0, kLongestName - 1).join('')}…` : domain.name;
  const symbol = { helps: '▲ ', hurts: '▼ ', unclear: '' }[domain.escalation];
  const ink = paint({ fill: domain.escalation === 'hurts' ? 'red' : 'ink' });
  return markup`<g font-size="11.5"><text x="${place(x.at(x.low))}" y="${place(top + 15)}" ${ink}>${symbol}${name}</text><text x="${place(x.at(x.high))}" y="${place(top + 15)}" text-anchor="end" ${ink}>${text(domain)}</text></g><rect x="${place(from)}" y="${place(top + 21)}" width="${place(Math.max(1, to - from))}" height="9" ${paint({ fill: kColours[domain.escalation] })}/><path d="M${place(x.at(0))} ${place(top + 19)}v13" ${paint({ stroke: 'ink' })}/>`;
}
