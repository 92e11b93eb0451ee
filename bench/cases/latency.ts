// One check alone: a message of 64 tokens inside the template, nothing else in flight.
import type { Entrant } from '../contenders/entrant.js';
import { prompt } from '../prompts/prompts.js';
import type { Figure } from '../report/figure.js';
import { gemmOperations, kShapes, type ShapeName } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens } from '../weights/template.js';
import { type Bench, byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';

const kMessageTokens = 64;
const kGpuSamples = { samples: 300, warmups: 20 }; // a check takes milliseconds there

/** With the reference shape. */
const kReference = {
  cpu: fieldOf(
    ['saferoute-int8', 'saferoute-int8-cold', 'llama-q8', 'llama-q8-cold', 'llama-q4'],
    ['llama-q4-cold', 'transformers-bf16', 'llama-bf16', 'llama-bf16-cold', 'saferoute-f32', 'saferoute-f32-cold'],
    ['transformers-f32'],
  ),
  cuda: fieldOf(
    ['saferoute-bf16', 'saferoute-bf16-cold', 'saferoute-fp8'],
    ['saferoute-fp8-cold', 'transformers-gpu', 'llama-q8-gpu', 'llama-bf16-gpu'],
    ['llama-q8-gpu-cold', 'llama-bf16-gpu-cold'],
  ),
};
/** With other shapes, where there is time for them. */
const kOthers = {
  cpu: [...kReference.cpu.quick, 'llama-q4-cold'],
  cuda: ['saferoute-bf16', 'saferoute-bf16-cold', 'saferoute-fp8', 'transformers-gpu', 'llama-bf16-gpu'],
};

function fields(bench: Bench): { guard: ShapeName; entrants: readonly string[] }[] {
  const others: ShapeName[] = byEffort(bench, [], [], ['qwen3-1.7b', 'llama-guard-3-8b']);
  return [
    { guard: 'llama-guard-3-1b', entrants: entrantsFor(bench, kReference) },
    ...others.map((guard) => ({ guard, entrants: kOthers[bench.device] })),
  ];
}

/** Tokens of a prompt that a contender has to compute when it has read others with the same head before. */
export function computedTokens({ reuse }: Entrant, messageTokens: number): number {
  return (reuse ? 0 : kHeadTokens) + messageTokens + kTailTokens;
}

export const kLatency: Case = {
  name: 'latency',
  about: `one check alone, a message of ${kMessageTokens} tokens`,
  quick: true,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    const figures: Figure[] = [];
    for (const { guard, entrants } of fields(bench)) figures.push(...(await compareGuard(bench, guard, entrants)));
    return figures;
  },
};

function compareGuard(bench: Bench, guard: ShapeName, entrants: readonly string[]): Promise<Figure[]> {
  return compare(bench, {
    case: 'latency',
    guard,
    inFlight: 1,
    promptTokens: kHeadTokens + kMessageTokens + kTailTokens,
    entrants,
    points: [
      {
        label: guard,
        unit: 'ms',
        ...(bench.device === 'cuda' ? kGpuSamples : { samples: byEffort(bench, 4, 15, 40), warmups: 1 }),
        work: (round, { reuse }) => ({ kind: 'read', prompts: [prompt(kMessageTokens, round)], reuse }),
        values: ({ ms }) => [ms],
        operations: (who) => gemmOperations(kShapes[guard], computedTokens(who, kMessageTokens)),
      },
    ],
  });
}
