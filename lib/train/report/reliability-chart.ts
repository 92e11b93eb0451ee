/** Do scores mean what they say? The share of unsafe rows against the mean score, bin by bin, for both guards. */

import { drawMark, type Mark, place } from '../../charts/marks.js';
import { type Markup, markup } from '../../charts/markup.js';
import { type Paint, paint } from '../../charts/palette.js';
import type { Plot } from '../../charts/plot.js';
import type { Scale } from '../../charts/scale.js';
import type { ReliabilityBin, SetEvaluation } from '../evaluation.js';
import { counted, score } from './figures.js';

interface Guard {
  name: string;
  bins: readonly ReliabilityBin[];
  mark: Mark;
  colour: Paint;
  dashes: string;
}

const kHeight = 290;
const kFaint = 10; // a bin of fewer rows than this is drawn hollow: it says little

/** null where neither guard has a row. */
export function reliabilityPlot(
  id: string,
  title: string,
  { small, large }: SetEvaluation['reliability'],
): Plot | null {
  const guards: Guard[] = [
    {
      name: 'small guard',
      bins: filled(small),
      mark: { shape: 'circle', hollow: false, colour: 'blue' },
      colour: 'blue',
      dashes: '',
    },
    {
      name: 'large guard',
      bins: filled(large),
      mark: { shape: 'square', hollow: false, colour: 'orange' },
      colour: 'orange',
      dashes: '6 3',
    },
  ];
  if (guards.every(({ bins }) => bins.length === 0)) return null;
  const axis = { range: [0, 1] as [number, number], ticks: 5, format: (value: number) => value.toFixed(1) };
  return {
    id,
    title,
    description: `${guards.map(({ name, bins }) => `${name}: expected calibration error ${score(calibrationError(bins))}`).join('; ')}. Points on the diagonal are scores that mean what they say.`,
    height: kHeight,
    x: { title: 'mean score of the bin', ...axis },
    y: { title: 'unsafe rows of the bin', ...axis },
    legend: guards.map((guard) => ({ name: guard.name, swatch: guardSwatch(guard) })),
    draw: (x, y) =>
      markup`<path d="M${place(x.at(0))} ${place(y.at(0))}L${place(x.at(1))} ${place(y.at(1))}" stroke-dasharray="2 3" ${paint({ stroke: 'axis' })}/>${guards.map((guard) => line(guard, x, y))}`,
  };
}

/** The mean distance between score and share of unsafe rows, weighted by rows; null without rows. */
export function calibrationError(bins: readonly ReliabilityBin[]): number | null {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  if (rows === 0) return null;
  return bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.score - bin.unsafe), 0) / rows;
}

function filled(bins: readonly ReliabilityBin[]): ReliabilityBin[] {
  return bins.filter(({ rows }) => rows > 0);
}

function line({ name, bins, mark, colour, dashes }: Guard, x: Scale, y: Scale): Markup | null {
  if (bins.length === 0) return null;
  const points = bins.map((bin) => `${place(x.at(bin.score))} ${place(y.at(bin.unsafe))}`);
  const marks = bins.map((bin) =>
    drawMark(
      { ...mark, hollow: bin.rows < kFaint },
      x.at(bin.score),
      y.at(bin.unsafe),
      `${name}: mean score ${score(bin.score)}, unsafe ${score(bin.unsafe)}, ${counted(bin.rows, 'row')}`,
    ),
  );
  return markup`<path d="M${points.join('L')}" stroke-width="1.6"${dashes !== '' && markup` stroke-dasharray="${dashes}"`} ${paint({ fill: 'none', stroke: colour })}/>${marks}`;
}

function guardSwatch({ mark, colour, dashes }: Guard): Markup {
  return markup`<path d="M0 6H28" stroke-width="1.6"${dashes !== '' && markup` stroke-dasharray="${dashes}"`} ${paint({ stroke: colour })}/>${drawMark(mark, 14, 6)}`;
}
