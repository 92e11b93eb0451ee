// One check alone: a message of 64 tokens inside the template, nothing else in flight.
import type { Entrant } from '../contenders/entrants.js';
import { prompt } from '../prompts/prompts.js';
import type { Figure } from '../report/figure.js';
import { gemmOperations, kShapes, type ShapeName } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens } from '../weights/template.js';
import { type Bench, byEffort, type Case, entrantsFor } from './case.js';
import { compare } from './comparison.js';

const kMessageTokens = 64;
const kQuick = ['saferoute-int8', 'saferoute-int8-cold', 'llama-q8', 'llama-q8-cold', 'llama-q4'];
const kEveryday = [...kQuick, 'llama-q4-cold'];
const kHeavy = ['transformers-bf16', 'llama-bf16', 'llama-bf16-cold', 'saferoute-f32', 'saferoute-f32-cold'];
const kHeaviest = ['transformers-f32'];

/** The reference shape with as many contenders as there is time for; with --full two others, with those who take part every day. */
function fields(bench: Bench): { guard: ShapeName; entrants: string[] }[] {
  const reference = entrantsFor(bench, kQuick, [...kEveryday, ...kHeavy], [...kEveryday, ...kHeavy, ...kHeaviest]);
  const others: ShapeName[] = byEffort(bench, [], [], ['qwen3-1.7b', 'llama-guard-3-8b']);
  return [
    { guard: 'llama-guard-3-1b', entrants: reference },
    ...others.map((guard) => ({ guard, entrants: kEveryday })),
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
  run: async (bench) => {
    const figures: Figure[] = [];
    for (const { guard, entrants } of fields(bench)) figures.push(...(await compareGuard(bench, guard, entrants)));
    return figures;
  },
};

function compareGuard(bench: Bench, guard: ShapeName, entrants: string[]): Promise<Figure[]> {
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
        samples: byEffort(bench, 4, 15, 40),
        warmups: 1,
        work: (round, { reuse }) => ({ kind: 'read', prompts: [prompt(kMessageTokens, round)], reuse }),
        values: ({ ms }) => [ms],
        operations: (who) => gemmOperations(kShapes[guard], computedTokens(who, kMessageTokens)),
      },
    ],
  });
}
