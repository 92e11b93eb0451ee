/** Histograms over [0, 1], one above the other on one axis: shares of each group, so that a rare group is seen as well as a common one. */

import { place } from '../../charts/marks.js';
import { type Markup, markup } from '../../charts/markup.js';
import { type Paint, paint } from '../../charts/palette.js';
import type { Plot } from '../../charts/plot.js';
import type { Scale } from '../../charts/scale.js';
import type { Histogram } from '../evaluation.js';
import { counted, percent } from './figures.js';

const kPaints: readonly Paint[] = ['blue', 'orange', 'green', 'purple'];
const kGroupHeight = 84;
const kFrameHeight = 54; // axis and margins
const kLabelHeight = 21; // of a group's band
const kLeastBar = 1; // a row that is there is seen

/** A threshold that parts the axis. */
export interface Cut {
  at: number;
  name: string;
}

/** null where no group has a row. */
export function histogramPlot(
  id: string,
  title: string,
  axis: string,
  groups: readonly Histogram[],
  cut: Cut | null,
): Plot | null {
  const totals = groups.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0));
  if (totals.every((total) => total === 0)) return null;
  const shares = groups.map(({ counts }, index) => counts.map((count) => count / (totals[index] || 1)));
  const longest = Math.max(...shares.flat());
  const bands = groups.length;
  return {
    id,
    title,
    description: described(groups, totals, cut),
    height: kFrameHeight + bands * kGroupHeight,
    x: { title: axis, range: [0, 1], ticks: 5, format: (value, decimals) => value.toFixed(decimals) },
    // One unit for each group; the groups carry their own names.
    y: { title: 'share of the group', range: [0, bands], ticks: bands, format: () => '' },
    legend: [],
    draw: (x, y) =>
      markup`${groups.map((group, index) => {
        const colour = kPaints[index % kPaints.length] as Paint;
        const [bottom, top] = [y.at(bands - 1 - index), y.at(bands - index)];
        return band({ group, shares: shares[index] as number[], longest, colour }, cut, x, { bottom, top });
      })}`,
  };
}

interface Band {
  group: Histogram;
  /** Of the group's rows, per bin. */
  shares: readonly number[];
  /** The greatest share of any group: all bands have one scale. */
  longest: number;
  colour: Paint;
}

function band(
  { group: { name, counts }, shares, longest, colour }: Band,
  cut: Cut | null,
  x: Scale,
  { bottom, top }: { bottom: number; top: number },
): Markup {
  const room = bottom - top - kLabelHeight;
  const width = (x.at(1) - x.at(0)) / counts.length;
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const bars = shares.map((share, bin) => {
    if (share === 0) return null;
    const height = Math.max(kLeastBar, (share / longest) * room);
    const range = `${(bin / counts.length).toFixed(2)} to ${((bin + 1) / counts.length).toFixed(2)}`;
    return markup`<rect x="${place(x.at(bin / counts.length) + 0.5)}" y="${place(bottom - height)}" width="${place(Math.max(0.5, width - 1))}" height="${place(height)}" ${paint({ fill: colour })}><title>${name}, ${range}: ${counted(counts[bin] as number, 'row')}, ${percent(share)}</title></rect>`;
  });
  const labels = markup`<g font-size="11.5"><text x="${place(x.at(0))}" y="${place(top + 14)}" ${paint({ fill: 'ink' })}>${name}, ${counted(rows, 'row')}</text><text x="${place(x.at(1))}" y="${place(top + 14)}" text-anchor="end" ${paint({ fill: 'muted' })}>tallest bar ${percent(Math.max(...shares))}</text></g>`;
  const line =
    cut !== null &&
    markup`<path d="M${place(x.at(cut.at))} ${place(top + kLabelHeight)}V${place(bottom)}" stroke-width="1.4" stroke-dasharray="4 3" ${paint({ stroke: 'ink' })}><title>${cut.name} ${cut.at}</title></path>`;
  return markup`${bars}${labels}${line}`;
}

function described(groups: readonly Histogram[], totals: readonly number[], cut: Cut | null): string {
  const parts = groups.map(({ name, counts }, index) => {
    const total = totals[index] as number;
    if (cut === null || total === 0) return `${name}: ${counted(total, 'row')}`;
    const over = counts.reduce((sum, count, bin) => (bin / counts.length >= cut.at ? sum + count : sum), 0);
    return `${name}: ${counted(total, 'row')}, ${percent(over / total)} in bins from ${cut.at} up`;
  });
  return `${parts.join('; ')}.`;
}
