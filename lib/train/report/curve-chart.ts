/** F1 against what escalation costs: a line for every rule over all thresholds, and a mark where the rule was run. */

import { drawMark, place } from '../../charts/marks.js';
import { type Markup, markup } from '../../charts/markup.js';
import { paint } from '../../charts/palette.js';
import type { LegendEntry, Plot } from '../../charts/plot.js';
import type { Scale } from '../../charts/scale.js';
import type { CurvePoint, RuleFigures, RuleName } from '../evaluation.js';
import { amount, kNone, percent, score } from './figures.js';
import { ruleSwatch } from './rule-name.js';
import { kRules, rulesOf } from './rules.js';

/** What F1 is drawn against. */
export type Cost = 'escalated' | 'ms_per_row';

export interface RuleCurves {
  rules: Partial<Record<RuleName, RuleFigures>>;
  curves: Partial<Record<RuleName, CurvePoint[]>>;
}

interface Spot {
  cost: number;
  f1: number;
}

const kHeight = 290;
const kFinest = 0.7; // points of a line that stand closer than this, in the drawing's units, are one

/** null where nothing can be drawn: no rule has both an F1 and that cost. */
export function curvePlot(id: string, title: string, cost: Cost, figures: RuleCurves): Plot | null {
  const lines = linesOf(figures.curves, cost);
  const spots = rulesOf(figures.rules).flatMap((rule) => {
    const spot = spotOf(figures.rules[rule] as RuleFigures, cost);
    return spot === null ? [] : [{ rule, spot }];
  });
  const all = [...[...lines.values()].flat(2), ...spots.map(({ spot }) => spot)];
  if (all.length === 0) return null;
  const heights = all.map(({ f1 }) => f1);
  const costs = all.map((one) => one.cost);
  return {
    id,
    title,
    description: described(figures, spots, cost),
    height: kHeight,
    x:
      cost === 'escalated'
        ? {
            title: 'rows that the large guard reads',
            range: [0, 1],
            ticks: 5,
            format: (value) => `${Math.round(value * 100)} %`,
          }
        : {
            title: 'ms per row',
            range: [0, Math.max(...costs)],
            ticks: 6,
            format: (value, decimals) => value.toFixed(decimals),
          },
    y: {
      title: 'F1',
      range: widened(heights),
      ticks: 6,
      format: (value, decimals) => value.toFixed(Math.max(2, decimals)),
    },
    legend: legendOf(figures),
    draw: (x, y) => drawn(lines, spots, cost, x, y),
  };
}

/** The rules that curves or figures speak of, as a legend has them. */
export function legendOf({ rules, curves }: RuleCurves): LegendEntry[] {
  return rulesOf({ ...curves, ...rules }).map((rule) => ({ name: kRules[rule].name, swatch: ruleSwatch(rule) }));
}

/** Every rule's line in pieces: it breaks where F1 is not defined. The guards alone have none. */
function linesOf(curves: RuleCurves['curves'], cost: Cost): Map<RuleName, Spot[][]> {
  const lines = new Map<RuleName, Spot[][]>();
  for (const rule of rulesOf(curves)) {
    if (rule === 'small' || rule === 'large') continue;
    const pieces: Spot[][] = [[]];
    for (const point of curves[rule] as CurvePoint[]) {
      const spot = spotOf(point, cost);
      if (spot !== null) (pieces.at(-1) as Spot[]).push(spot);
      else if (pieces.at(-1)?.length) pieces.push([]);
    }
    lines.set(
      rule,
      pieces.filter((piece) => piece.length > 0),
    );
  }
  return lines;
}

function spotOf(figures: Pick<CurvePoint, Cost | 'f1'>, cost: Cost): Spot | null {
  const at = figures[cost];
  return at === null || figures.f1 === null ? null : { cost: at, f1: figures.f1 };
}

/** Never less than a twentieth of F1, so that noise does not look like a mountain. */
function widened(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const lack = Math.max(0, 0.05 - (high - low)) / 2;
  return [Math.max(0, low - lack), Math.min(1, high + lack)];
}

/** The rules that matter most are drawn last, on top. */
function drawn(
  lines: ReadonlyMap<RuleName, Spot[][]>,
  spots: readonly { rule: RuleName; spot: Spot }[],
  cost: Cost,
  x: Scale,
  y: Scale,
): Markup {
  const order: readonly RuleName[] = [
    'oracle',
    'random',
    'entropy+ts',
    'entropy+cc',
    'entropy+bc',
    'entropy',
    'ensemble',
    'benefit',
    'router',
    'budget',
  ];
  const paths = order.flatMap((rule) => (lines.get(rule) ?? []).map((piece) => path(rule, piece, x, y)));
  const marks = [...spots]
    .reverse()
    .map(({ rule, spot }) =>
      drawMark(
        kRules[rule].mark,
        x.at(spot.cost),
        y.at(spot.f1),
        `${kRules[rule].name}: F1 ${score(spot.f1)} at ${costText(spot.cost, cost)}`,
      ),
    );
  return markup`${paths}${marks}`;
}

function path(rule: RuleName, piece: readonly Spot[], x: Scale, y: Scale): Markup {
  const { mark, dashes, width } = kRules[rule];
  let [lastX, lastY] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const commands = piece.flatMap((spot, index) => {
    const [atX, atY] = [x.at(spot.cost), y.at(spot.f1)];
    if (Math.hypot(atX - lastX, atY - lastY) < kFinest && index < piece.length - 1) return [];
    [lastX, lastY] = [atX, atY];
    return [`${place(atX)} ${place(atY)}`];
  });
  return markup`<path d="M${commands.join('L')}" stroke-width="${width}" stroke-linejoin="round"${dashes !== '' && markup` stroke-dasharray="${dashes}"`} ${paint({ fill: 'none', stroke: mark.colour })}/>`;
}

function described({ rules }: RuleCurves, spots: readonly { rule: RuleName; spot: Spot }[], cost: Cost): string {
  const missing = rulesOf(rules).filter((rule) => !spots.some((one) => one.rule === rule));
  const all = [
    ...spots.map(({ rule, spot }) => `${kRules[rule].name} ${score(spot.f1)} at ${costText(spot.cost, cost)}`),
    ...missing.map((rule) => `${kRules[rule].name} ${kNone}`),
  ];
  const against = cost === 'escalated' ? 'the share of rows that the large guard reads' : 'milliseconds per row';
  return `F1 against ${against}. Where each rule was run: ${all.join('; ')}.`;
}

function costText(value: number, cost: Cost): string {
  return cost === 'escalated' ? percent(value) : `${amount(value)} ms`;
}
