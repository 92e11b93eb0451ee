// What the engine must reach, held against the figures of a run.
import type { Figure } from './figure.js';
import { alignedTable, number } from './table.js';

export interface Target {
  case: string;
  /** Points of the case that it speaks of; null: all. */
  point: RegExp | null;
  /** Whose figure is looked at. */
  contender: string;
  /** Which number of it. */
  of: 'ratio' | 'share' | 'median';
  bound: 'at most' | 'at least';
  limit: number;
  about: string;
}

export interface Outcome extends Omit<Target, 'point'> {
  point: string;
  value: number;
  /** null: shown only, for the machine is not of the kind that the target was set for. */
  met: boolean | null;
}

/** One outcome for each figure that a target speaks of. `judged`: whether the machine is of the kind that they were set for. */
export function outcomes(targets: readonly Target[], figures: readonly Figure[], judged: boolean): Outcome[] {
  return targets.flatMap((target) =>
    figures
      .filter((figure) => figure.case === target.case && figure.contender === target.contender)
      .filter(({ point }) => target.point === null || target.point.test(point))
      .flatMap((figure) => {
        const value = figure[target.of];
        if (value === null) return [];
        const met = target.bound === 'at most' ? value <= target.limit : value >= target.limit;
        return [{ ...target, point: figure.point, value, met: judged ? met : null }];
      }),
  );
}

export function targetTable(targets: readonly Outcome[]): string {
  const rows = targets.map(({ about, point, bound, limit, value, met }) => [
    about,
    point,
    `${bound} ${number(limit)}`,
    number(value),
    met === null ? 'not judged here' : met ? 'met' : 'missed',
  ]);
  return alignedTable([['target', '', '', 'measured', ''], ...rows]);
}
