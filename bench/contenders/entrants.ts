// Who takes part, by the names that the command line and the reports use.
import type { ShapeName } from '../weights/shapes.js';
import type { PairSetup, Setup } from './contender.js';

export interface Entrant {
  readonly name: string;
  readonly engine: Setup['engine'];
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

/** The large guard of the cascade: the 8B one where there is time and room for it. */
export const kLargeGuards = { everyday: 'qwen3-1.7b', full: 'llama-guard-3-8b' } as const satisfies Record<
  string,
  ShapeName
>;

/** `name` reads with prefix reuse, `name-cold` without. */
function withAndWithoutReuse(name: string, engine: Setup['engine'], weights: string): Entrant[] {
  return [
    { name, engine, weights, reuse: true },
    { name: `${name}-cold`, engine, weights, reuse: false },
  ];
}

/** A cascade of the comparison's guard and a large one, at every rate, and that large guard alone. */
function cascades(large: ShapeName): Entrant[] {
  const base = { engine: 'saferoute', weights: 'int8', reuse: true, text: true } as const;
  return [
    ...kEscalationPercents.map((percent) => ({
      ...base,
      name: `cascade-${percent}-${large}`,
      pair: { large, rate: percent / 100 },
    })),
    { ...base, name: `always-${large}`, guard: large },
  ];
}

const kAll: readonly Entrant[] = [
  ...withAndWithoutReuse('saferoute-int8', 'saferoute', 'int8'),
  { name: 'saferoute-int8-text', engine: 'saferoute', weights: 'int8', reuse: true, text: true },
  { name: 'saferoute-int8-router', engine: 'saferoute', weights: 'int8', reuse: false },
  ...Object.values(kLargeGuards).flatMap(cascades),
  ...withAndWithoutReuse('saferoute-f32', 'saferoute', 'f32'),
  ...withAndWithoutReuse('llama-q8', 'node-llama-cpp', 'Q8_0'),
  ...withAndWithoutReuse('llama-q4', 'node-llama-cpp', 'Q4_0'),
  ...withAndWithoutReuse('llama-bf16', 'node-llama-cpp', 'BF16'),
  { name: 'transformers-bf16', engine: 'transformers', weights: 'bf16', reuse: false },
  { name: 'transformers-f32', engine: 'transformers', weights: 'f32', reuse: false },
  { name: 'onnxruntime-router', engine: 'onnxruntime-node', weights: 'router', reuse: false },
  { name: 'control', engine: 'control', weights: 'none', reuse: false },
  { name: 'gemm-int8', engine: 'onnxruntime-node', weights: 'int8', reuse: false },
  { name: 'gemm-f32', engine: 'onnxruntime-node', weights: 'f32', reuse: false },
  { name: 'gemm-int8-all-layers', engine: 'onnxruntime-node', weights: 'int8-all-layers', reuse: false },
];

export const kEntrantNames: readonly string[] = kAll.map(({ name }) => name);

/** Whether it is this package that is measured, alone or as a pair. */
export function isOurs(name: string): boolean {
  return kAll.some((one) => one.name === name && one.engine === 'saferoute');
}

export function entrant(name: string): Entrant {
  const found = kAll.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new RangeError(`no contender is called '${name}'; there are ${kEntrantNames.join(', ')}`);
  return found;
}
