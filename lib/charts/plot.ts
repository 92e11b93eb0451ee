/** The frame of a chart: axes with ticks, grid and titles, a text for those who cannot see it, and as a file of its own a legend. */

import { place } from './marks.js';
import { type Markup, markup } from './markup.js';
import { paint } from './palette.js';
import { linearScale, type Scale } from './scale.js';
import { svgFile } from './svg-file.js';

/** All charts have one width, so that their text has one size. */
const kPlotWidth = 380;
const kMargin = { top: 14, right: 20, bottom: 40, left: 50 };
const kLegendRow = 18;
const kLegendColumns = 2;
const kTitleHeight = 26;

export interface Axis {
  title: string;
  range: [number, number];
  /** About how many ticks. */
  ticks: number;
  format: (value: number, decimals: number) => string;
}

export interface LegendEntry {
  name: string;
  /** Drawn in 28 × 12 units, its middle at (14, 6). */
  swatch: Markup;
}

export interface Plot {
  /** Unique in its page: of letters, digits and hyphens. */
  id: string;
  title: string;
  /** What it shows, in words and figures. */
  description: string;
  x: Axis;
  y: Axis;
  height: number;
  legend: readonly LegendEntry[];
  draw: (x: Scale, y: Scale) => Markup;
}

/** As part of a page, which has heading, legend and style. */
export function inlinePlot(plot: Plot): Markup {
  return markup`<svg viewBox="0 0 ${kPlotWidth} ${plot.height}" role="img" aria-labelledby="${plot.id}-t ${plot.id}-d"><title id="${plot.id}-t">${plot.title}</title><desc id="${plot.id}-d">${plot.description}</desc>${frame(plot)}</svg>`;
}

/** As a file, at twice the size. */
export function plotFile(plot: Plot): string {
  const rows = Math.ceil(plot.legend.length / kLegendColumns);
  const height = kTitleHeight + plot.height + rows * kLegendRow + (rows > 0 ? 10 : 0);
  const body = markup`<text x="14" y="22" font-size="13" font-weight="600" ${paint({ fill: 'ink' })}>${plot.title}</text><g transform="translate(0 ${kTitleHeight})">${frame(plot)}</g>${plot.legend.map((entry, index) => legendEntry(entry, index, kTitleHeight + plot.height + 4))}`;
  return svgFile({ ...plot, width: kPlotWidth, height, scale: 2, body });
}

function legendEntry({ name, swatch }: LegendEntry, index: number, top: number): Markup {
  const x = 14 + (index % kLegendColumns) * ((kPlotWidth - 28) / kLegendColumns);
  const y = top + Math.floor(index / kLegendColumns) * kLegendRow;
  return markup`<g transform="translate(${place(x)} ${place(y)})">${swatch}<text x="34" y="10" font-size="10.5" ${paint({ fill: 'ink' })}>${name}</text></g>`;
}

function frame({ x, y, height, draw }: Plot): Markup {
  const [left, right, top, bottom] = [kMargin.left, kPlotWidth - kMargin.right, kMargin.top, height - kMargin.bottom];
  const across = linearScale(x.range, [left, right], x.ticks);
  const up = linearScale(y.range, [bottom, top], y.ticks);
  const label = paint({ fill: 'muted' });
  const rows = up.ticks.map((value) => {
    const at = place(up.at(value));
    return markup`<path d="M${left} ${at}H${right}" ${paint({ stroke: 'grid' })}/><text x="${left - 7}" y="${place(up.at(value) + 3.6)}" text-anchor="end" ${label}>${y.format(value, up.decimals)}</text>`;
  });
  const columns = across.ticks.map((value) => {
    const at = place(across.at(value));
    return markup`<path d="M${at} ${bottom}v4" ${paint({ stroke: 'axis' })}/><text x="${at}" y="${bottom + 16}" text-anchor="middle" ${label}>${x.format(value, across.decimals)}</text>`;
  });
  const titles = markup`<text x="${place((left + right) / 2)}" y="${height - 6}" text-anchor="middle" ${label}>${x.title}</text><text transform="translate(11 ${place((top + bottom) / 2)}) rotate(-90)" text-anchor="middle" ${label}>${y.title}</text>`;
  return markup`<g font-size="11.5">${rows}${columns}${titles}</g><path d="M${left} ${bottom}H${right}" ${paint({ stroke: 'axis' })}/>${draw(across, up)}`;
}
