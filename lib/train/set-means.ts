/** Unweighted means over the sets that hold both classes: a small set counts as much as a large one. */

import type { Confusion, CurvePoint, Evaluation, RuleFigures, RuleName, SetEvaluation } from './evaluation.js';

/** Every set is judged by the same rules. Of figures that are null in some sets, the mean of the others; null where all are. */
export function meansOver(sets: readonly SetEvaluation[]): Evaluation['mean'] {
  const chosen = sets.filter(({ rows, unsafe }) => unsafe > 0 && unsafe < rows);
  const means: Evaluation['mean'] = { sets: chosen.map(({ name }) => name), rules: {}, curves: {}, area: {} };
  const first = chosen[0];
  if (first === undefined) return means;
  const names = <T>(record: Partial<Record<RuleName, T>>) => Object.keys(record) as RuleName[];
  const all = <T>(pick: (set: SetEvaluation) => T | undefined) => chosen.map(pick) as T[];
  for (const rule of names(first.rules)) means.rules[rule] = meanFigures(all(({ rules }) => rules[rule]));
  for (const rule of names(first.curves)) means.curves[rule] = meanCurve(all(({ curves }) => curves[rule]));
  for (const rule of names(first.area)) means.area[rule] = mean(all(({ area }) => area[rule]));
  return means;
}

function meanFigures(figures: RuleFigures[]): RuleFigures {
  const of = (pick: (one: RuleFigures) => number | null) => mean(figures.map(pick));
  const sum = (cell: keyof Confusion) => figures.reduce((total, { confusion }) => total + confusion[cell], 0);
  return {
    confusion: { tp: sum('tp'), fp: sum('fp'), tn: sum('tn'), fn: sum('fn') },
    f1: of(({ f1 }) => f1),
    precision: of(({ precision }) => precision),
    recall: of(({ recall }) => recall),
    accuracy: of(({ accuracy }) => accuracy) as number,
    fpr: of(({ fpr }) => fpr),
    auprc: of(({ auprc }) => auprc),
    escalated: of(({ escalated }) => escalated) as number,
    routing_f1: of(({ routing_f1 }) => routing_f1),
    ms_per_row: of(({ ms_per_row }) => ms_per_row),
    flop_per_row: of(({ flop_per_row }) => flop_per_row),
  };
}

/** Every curve has its points at the same rates. */
function meanCurve(curves: CurvePoint[][]): CurvePoint[] {
  return (curves[0] as CurvePoint[]).map(({ escalated }, place) => ({
    escalated,
    f1: mean(curves.map((curve) => (curve[place] as CurvePoint).f1)),
    ms_per_row: mean(curves.map((curve) => (curve[place] as CurvePoint).ms_per_row)),
  }));
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
