// What a case gets from the bench, and what it gives back.
import type { Figure } from '../report/figure.js';

export type Effort = 'quick' | 'standard' | 'full';

export interface Peak {
  /** Operations a millisecond in GEMMs alone, measured at the start of the run. */
  int8: number;
  f32: number;
}

export interface Bench {
  readonly effort: Effort;
  readonly threads: number;
  /** Contenders that may take part; null: all. */
  readonly chosen: ReadonlySet<string> | null;
  readonly peak: Peak | null;
  /** Versions and settings that contenders have told, by contender. */
  readonly facts: Map<string, Record<string, string | number>>;
  /** A line that stays: what was left out, and why. */
  note(line: string): void;
  /** A line that the next one replaces. */
  progress(line: string): void;
}

export interface Case {
  readonly name: string;
  readonly about: string;
  /** Whether --quick runs it without being asked for it by name. */
  readonly quick: boolean;
  run(bench: Bench): Promise<Figure[]>;
}

/** Names of contenders, by effort; where a choice was made, it is one among all. */
export function entrantsFor(
  bench: Pick<Bench, 'effort' | 'chosen'>,
  quick: string[],
  standard: string[],
  full: string[],
): string[] {
  return bench.chosen === null ? byEffort(bench, quick, standard, full) : full;
}

/** One of three values, by effort. */
export function byEffort<T>({ effort }: Pick<Bench, 'effort'>, quick: T, standard: T, full: T): T {
  return { quick, standard, full }[effort];
}
