// What a case gets from the bench, and what it gives back.
import { entrant } from '../contenders/entrants.js';
import type { Device, Gpu } from '../device.js';
import type { Figure } from '../report/figure.js';

export type Effort = 'quick' | 'standard' | 'full';

/** Operations a millisecond in GEMMs alone, measured at the start of the run, by the weights that were multiplied. Never empty. */
export type Peak = ReadonlyMap<string, number>;

export interface Bench {
  readonly effort: Effort;
  readonly threads: number;
  readonly device: Device;
  /** null on the CPU. */
  readonly gpu: Gpu | null;
  /** Contenders that may take part; null: all. */
  readonly chosen: ReadonlySet<string> | null;
  readonly peak: Peak | null;
  /** Versions and settings that contenders have told, by contender. */
  readonly facts: Map<string, Record<string, string | number>>;
  /** A line that stays: what was left out, and why. */
  note(line: string): void;
  /** The same of something that should have worked: the run goes on and ends with an exit code of 1. */
  fail(line: string): void;
  /** A line that the next one replaces. */
  progress(line: string): void;
}

export interface Case {
  readonly name: string;
  readonly about: string;
  /** Whether --quick runs it without being asked for it by name. */
  readonly quick: boolean;
  /** Where it can be run. */
  readonly devices: readonly Device[];
  run(bench: Bench): Promise<Figure[]>;
}

/** Names of contenders, by effort. */
export type Field = Readonly<Record<Effort, readonly string[]>>;

/** Each effort's own names, behind those of the lesser ones. */
export function fieldOf(
  quick: readonly string[],
  standard: readonly string[] = [],
  full: readonly string[] = [],
): Field {
  return { quick, standard: [...quick, ...standard], full: [...quick, ...standard, ...full] };
}

/** Names of contenders on the run's device, by effort; where a choice was made, it is one among all. */
export function entrantsFor(
  { effort, chosen, device }: Pick<Bench, 'effort' | 'chosen' | 'device'>,
  fields: Readonly<Partial<Record<Device, Field>>>,
): readonly string[] {
  const field = fields[device];
  if (field === undefined) throw new Error(`this case has no contenders on the device '${device}'`);
  const names = field[chosen === null ? effort : 'full'];
  const stranger = names.find((name) => entrant(name).device !== device);
  if (stranger !== undefined) throw new Error(`${stranger} is no contender on the device '${device}'`);
  return names;
}

/** One of three values, by effort. */
export function byEffort<T>({ effort }: Pick<Bench, 'effort'>, quick: T, standard: T, full: T): T {
  return { quick, standard, full }[effort];
}
