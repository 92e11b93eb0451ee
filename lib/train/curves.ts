/** F1 of a pair from escalating nothing to everything, in the order of a rule's ranking. */

/** Equal steps of the escalation rate, from 0 to 1. */
export const kCurveSteps = 100;

/** `(rows)` each; flags are 1 for unsafe. */
export interface RankedFlags {
  labels: Int8Array;
  /** What stands while the row stays with the small guard, … */
  kept: Uint8Array;
  /** … and once it is escalated. */
  escalated: Uint8Array;
  /** Rows with higher values go first. */
  ranking: Float64Array;
}

/** The flags' true and false positives once the first `rows` of the ranking are escalated. */
interface Knot {
  rows: number;
  tp: number;
  fp: number;
}

/**
 * F1 at each of the kCurveSteps + 1 rates; null where neither a label nor a flag is unsafe. Where a rate cuts through rows of one rank, each of
 * them goes with the same chance: counts are expected ones, so the order of the rows doesn't matter, and a constant ranking is the random rule.
 */
export function f1Curve(rows: RankedFlags): (number | null)[] {
  const unsafe = rows.labels.reduce((sum, label) => sum + label, 0);
  const knots = knotsOf(rows);
  let place = 0;
  return Array.from({ length: kCurveSteps + 1 }, (_, step) => {
    const count = (rows.labels.length * step) / kCurveSteps;
    while (place < knots.length - 2 && (knots[place + 1] as Knot).rows < count) place++;
    const { tp, fp } = between(knots[place] as Knot, knots[place + 1] as Knot, count);
    return tp + fp + unsafe === 0 ? null : (2 * tp) / (tp + fp + unsafe);
  });
}

/** By the trapezoid rule over equal steps from 0 to 1; null where a point is. */
export function areaUnder(values: readonly (number | null)[]): number | null {
  let area = 0;
  for (let place = 1; place < values.length; place++) {
    const [left, right] = [values[place - 1], values[place]];
    if (left === null || left === undefined || right === null || right === undefined) return null;
    area += (left + right) / 2;
  }
  return area / (values.length - 1);
}

/** At least two: before the first row, and after each group of rows of one rank. */
function knotsOf({ labels, kept, escalated, ranking }: RankedFlags): Knot[] {
  const order = Uint32Array.from(ranking, (_, row) => row).sort(
    (a, b) => (ranking[b] as number) - (ranking[a] as number),
  );
  const now: Knot = { rows: 0, tp: 0, fp: 0 };
  for (const [row, flag] of kept.entries()) count(now, labels[row], flag);
  const knots = [{ ...now }];
  order.forEach((row, place) => {
    count(now, labels[row], (escalated[row] as number) - (kept[row] as number));
    now.rows += 1;
    const next = order[place + 1];
    if (next === undefined || ranking[next] !== ranking[row]) knots.push({ ...now });
  });
  return knots;
}

function count(knot: Knot, label: number | undefined, flags: number): void {
  if (label === 1) knot.tp += flags;
  else knot.fp += flags;
}

function between(left: Knot, right: Knot, rows: number): { tp: number; fp: number } {
  const share = (rows - left.rows) / (right.rows - left.rows);
  return { tp: left.tp + share * (right.tp - left.tp), fp: left.fp + share * (right.fp - left.fp) };
}
