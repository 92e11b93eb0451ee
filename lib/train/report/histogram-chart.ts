/** Histograms over [0, 1], one above the other on one axis: shares of each group, so that a rare group is seen as well as a common one. */

import { place } from '../../charts/marks.js';
import { type Markup, markup } from '../../charts/markup.js';
import { type Paint, paint } from '../../charts/palette.js';
import type { Plot } from '../../charts/plot.js';
import type { Scale } from '../../charts/scale.js';
import type { Histogram } from '../evaluation.js';
import { counted, percent } from './figures.js';

const kPaints: readonly Paint[] = ['orange', 'blue', 'green', 'purple'];
const kGroupHeight = 84;
const kFrameHeight = 54; // axis and margins
const kLabelHeight = 18; // of a group's band
const kLeastBar = 1; // a row that is there is seen

/** `cut`: where the axis is parted by a threshold. null where no group has a row. */
export function histogramPlot(
  id: string,
  title: string,
  axis: string,
  groups: readonly Histogram[],
  cut: { at: number; name: string } | null,
): Plot | null {
  const totals = groups.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0));
  if (totals.every((total) => total === 0)) return null;
  const shares = groups.map(({ counts }, index) => counts.map((count) => count / (totals[index] || 1)));
  const longest = Math.max(...shares.flat());
  const bands = groups.length;
  return {
    id,
    title,
    description: described(groups, totals, cut?.at ?? 0.5),
    height: kFrameHeight + bands * kGroupHeight,
    x: { title: axis, range: [0, 1], ticks: 5, format: (value, decimals) => value.toFixed(decimals) },
    // One unit for each group; the groups carry their own names.
    y: { title: 'share of the group', range: [0, bands], ticks: bands, format: () => '' },
    legend: [],
    draw: (x, y) => {
      const rows = groups.map((group, index) =>
        band(
          group,
          shares[index] as number[],
          longest,
          kPaints[index % kPaints.length] as Paint,
          bands - 1 - index,
          x,
          y,
        ),
      );
      return markup`${rows}${cut !== null && cutLine(cut, x, y)}`;
    },
  };
}

function band(
  { name, counts }: Histogram,
  shares: readonly number[],
  longest: number,
  colour: Paint,
  floor: number,
  x: Scale,
  y: Scale,
): Markup {
  const bottom = y.at(floor);
  const room = bottom - y.at(floor + 1) - kLabelHeight;
  const width = (x.at(1) - x.at(0)) / counts.length;
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const bars = shares.map((share, bin) => {
    if (share === 0) return null;
    const height = Math.max(kLeastBar, (share / longest) * room);
    const range = `${(bin / counts.length).toFixed(2)} to ${((bin + 1) / counts.length).toFixed(2)}`;
    return markup`<rect x="${place(x.at(bin / counts.length) + 0.5)}" y="${place(bottom - height)}" width="${place(Math.max(0.5, width - 1))}" height="${place(height)}" ${paint({ fill: colour })}><title>${name}, ${range}: ${counted(counts[bin] as number, 'row')}, ${percent(share)}</title></rect>`;
  });
  return markup`${bars}<text x="${place(x.at(0.5))}" y="${place(y.at(floor + 1) + 13)}" text-anchor="middle" font-size="11" ${paint({ fill: 'ink' })}>${name} (${counted(rows, 'row')}), tallest bar ${percent(Math.max(...shares))}</text>`;
}

function cutLine({ at, name }: { at: number; name: string }, x: Scale, y: Scale): Markup {
  return markup`<path d="M${place(x.at(at))} ${place(y.at(y.high) - 4)}V${place(y.at(0))}" stroke-width="1.4" stroke-dasharray="4 3" ${paint({ stroke: 'ink' })}><title>${name} ${at}</title></path>`;
}

function described(groups: readonly Histogram[], totals: readonly number[], cut: number): string {
  const parts = groups.map(({ name, counts }, index) => {
    const over = counts.reduce((sum, count, bin) => (bin / counts.length >= cut ? sum + count : sum), 0);
    const total = totals[index] as number;
    return `${name}: ${counted(total, 'row')}${total === 0 ? '' : `, ${percent(over / total)} in bins from ${cut} up`}`;
  });
  return `${parts.join('; ')}.`;
}
