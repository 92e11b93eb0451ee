// One case as horizontal bars, a group for each point, ours in another colour and in bold, quoted figures hollow.
import { place } from '../../lib/charts/marks.js';
import { type Markup, markup } from '../../lib/charts/markup.js';
import { paint } from '../../lib/charts/palette.js';
import { svgFile } from '../../lib/charts/svg-file.js';
import { isOurs } from '../contenders/entrants.js';
import { type Figure, isRate, isTime, type Unit } from './figure.js';
import { number } from './table.js';

const kWidth = 760;
const kLeft = 16;
const kLabelWidth = 190;
const kValueWidth = 180; // the longest: "1218 ms (ours 9.6 × as fast)"
const kBarHeight = 18;
const kGap = 6;
const kPointHeight = 28;
const kTitle = { size: 16, letters: 82, line: 21 };
const kCaption = { size: 11, letters: 118, line: 15 };

/** `caption` says where the figures are from. Figures of one unit. */
export function barChart(title: string, caption: string, figures: readonly Figure[]): string {
  const longest = Math.max(...figures.map(({ median }) => median));
  const points = [...new Set(figures.map(({ point }) => point))];
  const heading = `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
  const better = figures.some(({ unit }) => isRate(unit)) ? 'Longer is better.' : 'Shorter is better.';
  const parts: Markup[] = [];
  let y = 8;
  const write = (line: string, { size, line: height }: typeof kTitle, fill: 'ink' | 'muted') => {
    y += height;
    parts.push(markup`<text x="${kLeft}" y="${y}" font-size="${size}" ${paint({ fill })}>${line}</text>`);
  };
  for (const line of wrapped(heading, kTitle.letters)) write(line, kTitle, 'ink');
  const sources = [...new Set(figures.flatMap(({ quoted }) => quoted ?? []))].map(
    (source) => `Quoted (hollow): ${source}.`,
  );
  for (const line of wrapped([better, caption, ...sources].join(' '), kCaption.letters)) write(line, kCaption, 'muted');
  y += 10;
  for (const point of points) {
    const group = figures.filter((candidate) => candidate.point === point);
    parts.push(markup`<text x="${kLeft}" y="${y + 18}" font-size="13" ${paint({ fill: 'ink' })}>${point}</text>`);
    y += kPointHeight;
    const bottom = y + group.length * (kBarHeight + kGap) - kGap;
    parts.push(...group.map((figure, index) => bar(figure, y + index * (kBarHeight + kGap), longest)));
    parts.push(markup`<path d="M${kLabelWidth} ${y - 3}V${bottom + 3}" ${paint({ stroke: 'axis' })}/>`);
    y = bottom + kGap;
  }
  const description = figures
    .map((one) => `${one.point}, ${one.contender}: ${number(one.median)} ${one.unit}${one.quoted ? ', quoted' : ''}`)
    .join('; ');
  return svgFile({
    id: 'chart',
    title: heading,
    description: `${better} ${description}.`,
    width: kWidth,
    height: y + 10,
    scale: 1,
    body: markup`${parts.map((part) => [part, '\n'])}`,
  });
}

function bar({ contender, median, unit, ratio, quoted }: Figure, y: number, longest: number): Markup {
  const width = ((kWidth - kLabelWidth - kValueWidth) * median) / longest;
  const ours = isOurs(contender);
  const beside = quoted === null ? ratio !== null && !ours && times(ratio, unit) : 'quoted';
  const shown = `${number(median)} ${unit}${beside ? ` (${beside})` : ''}`;
  const filling = quoted === null ? paint({ fill: ours ? 'blue' : 'grey' }) : paint({ fill: 'paper', stroke: 'grey' });
  const text = markup`font-size="12"${ours && markup` font-weight="600"`} ${paint({ fill: 'ink' })}`;
  const baseline = y + kBarHeight - 5;
  return markup`<text x="${kLabelWidth - 8}" y="${baseline}" text-anchor="end" ${text}>${contender}</text><rect x="${kLabelWidth}" y="${y}" width="${place(Math.max(1, width))}" height="${kBarHeight}" ${filling}/><text x="${place(kLabelWidth + width + 6)}" y="${baseline}" ${text}>${shown}</text>`;
}

/** How many times faster ours is; of what is no speed, how many times as much it takes. */
function times(ratio: number, unit: Unit): string {
  if (!isTime(unit) && !isRate(unit)) return `ours ${ratio.toFixed(1)} × of it`;
  return `ours ${(isRate(unit) ? ratio : 1 / ratio).toFixed(1)} × as fast`;
}

/** Lines of whole words, of at most so many letters where no word is longer. */
function wrapped(text: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= letters) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
