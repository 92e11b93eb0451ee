// Who takes part, by the names that the command line and the reports use.
import type { Setup } from './contender.js';

export interface Entrant {
  readonly name: string;
  readonly engine: Setup['engine'];
  readonly weights: string;
  /** Whether it may reuse the prefixes that it has read before. */
  readonly reuse: boolean;
}

/** `name` reads with prefix reuse, `name-cold` without. */
function withAndWithoutReuse(name: string, engine: Setup['engine'], weights: string): Entrant[] {
  return [
    { name, engine, weights, reuse: true },
    { name: `${name}-cold`, engine, weights, reuse: false },
  ];
}

const kAll: readonly Entrant[] = [
  ...withAndWithoutReuse('saferoute-int8', 'saferoute', 'int8'),
  ...withAndWithoutReuse('saferoute-f32', 'saferoute', 'f32'),
  ...withAndWithoutReuse('llama-q8', 'node-llama-cpp', 'Q8_0'),
  ...withAndWithoutReuse('llama-q4', 'node-llama-cpp', 'Q4_0'),
  ...withAndWithoutReuse('llama-bf16', 'node-llama-cpp', 'BF16'),
  { name: 'transformers-bf16', engine: 'transformers', weights: 'bf16', reuse: false },
  { name: 'transformers-f32', engine: 'transformers', weights: 'f32', reuse: false },
  { name: 'onnxruntime-router', engine: 'onnxruntime-node', weights: 'router', reuse: false },
  { name: 'gemm-int8', engine: 'onnxruntime-node', weights: 'int8', reuse: false },
  { name: 'gemm-f32', engine: 'onnxruntime-node', weights: 'f32', reuse: false },
  { name: 'gemm-int8-all-layers', engine: 'onnxruntime-node', weights: 'int8-all-layers', reuse: false },
];

export const kEntrantNames: readonly string[] = kAll.map(({ name }) => name);

export function entrant(name: string): Entrant {
  const found = kAll.find((candidate) => candidate.name === name);
  if (found === undefined)
    throw new RangeError(`no contender is called '${name}'; there are ${kEntrantNames.join(', ')}`);
  return found;
}
