// One who takes part, and what several have in common.
import type { Device } from '../device.js';
import type { ShapeName } from '../weights/shapes.js';
import type { PairSetup, Setup } from './contender.js';

export interface Entrant {
  readonly name: string;
  readonly engine: Setup['engine'];
  /** Where its work is done; a run is on one device. */
  readonly device: Device;
  readonly weights: string;
  /** Whether it may reuse the prefixes that it has read before. */
  readonly reuse: boolean;
  /** Asked through the public calls that take text, instead of token ids. */
  readonly text?: boolean;
  /** A guard other than the comparison's. */
  readonly guard?: ShapeName;
  readonly pair?: PairSetup;
}

/** Shares of checks that go on to the large guard, in percent. */
export const kEscalationPercents = [0, 5, 10, 20, 40, 100] as const;

/** `entry` reads with prefix reuse, and another one with `-cold` behind its name without. */
export function withAndWithoutReuse(entry: Omit<Entrant, 'reuse'>): Entrant[] {
  return [
    { ...entry, reuse: true },
    { ...entry, name: `${entry.name}-cold`, reuse: false },
  ];
}

/**
 * Cascades of the comparison's guard and a `large` one, at every rate, and that large guard alone. `suffix` tells them from those of other
 * weights.
 */
export function cascades(large: ShapeName, base: Pick<Entrant, 'device' | 'weights'>, suffix = ''): Entrant[] {
  const ours = { ...base, engine: 'saferoute', reuse: true, text: true } as const;
  return [
    ...kEscalationPercents.map((percent) => ({
      ...ours,
      name: `cascade-${percent}-${large}${suffix}`,
      pair: { large, rate: percent / 100 },
    })),
    { ...ours, name: `always-${large}${suffix}`, guard: large },
  ];
}
