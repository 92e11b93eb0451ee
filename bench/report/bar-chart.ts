// One case as horizontal bars, a group for each point, ours in another colour.
import { type Figure, isRate } from './figure.js';
import { drawing, line, rect, text } from './svg.js';
import { number } from './table.js';

const kWidth = 760;
const kLabelWidth = 190;
const kValueWidth = 110;
const kBarHeight = 18;
const kGap = 6;
const kTitleHeight = 56;
const kPointHeight = 26;
const kOurs = '#1b6ca8';
const kTheirs = '#b8bfc6';

/** `caption` says where the figures are from. Figures of one unit. */
export function barChart(title: string, caption: string, figures: readonly Figure[]): string {
  const longest = Math.max(...figures.map(({ median }) => median));
  const points = [...new Set(figures.map(({ point }) => point))];
  const elements = [
    text({ x: 16, y: 24 }, title, { size: 16 }),
    text({ x: 16, y: 43 }, caption, { size: 11, fill: '#777' }),
  ];
  let y = kTitleHeight;
  for (const point of points) {
    elements.push(text({ x: 16, y: y + 16 }, point, { size: 13 }));
    y += kPointHeight;
    for (const figure of figures.filter((candidate) => candidate.point === point)) {
      elements.push(...bar(figure, y, longest));
      y += kBarHeight + kGap;
    }
  }
  elements.push(line({ x: kLabelWidth, y: kTitleHeight }, { x: kLabelWidth, y }, '#999'));
  return drawing(kWidth, y + 12, title, elements);
}

function bar({ contender, median, unit, ratio }: Figure, y: number, longest: number): string[] {
  const width = ((kWidth - kLabelWidth - kValueWidth) * median) / longest;
  const isOurs = contender.startsWith('saferoute');
  const shown = `${number(median)} ${unit}${isOurs || ratio === null ? '' : ` (${times(ratio, isRate(unit))})`}`;
  const baseline = y + kBarHeight - 5;
  return [
    text({ x: kLabelWidth - 8, y: baseline }, contender, { anchor: 'end' }),
    rect({ x: kLabelWidth, y }, Math.max(1, width), kBarHeight, isOurs ? kOurs : kTheirs),
    text({ x: kLabelWidth + width + 6, y: baseline }, shown),
  ];
}

/** How many times faster ours is. */
function times(ratio: number, rate: boolean): string {
  return `ours ${(rate ? ratio : 1 / ratio).toFixed(1)} ×`;
}
