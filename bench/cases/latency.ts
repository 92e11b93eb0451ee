// One check alone: a message of 64 tokens inside the template, nothing else in flight.
import type { Entrant } from '../contenders/entrants.js';
import { prompt } from '../prompts/prompts.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens } from '../weights/template.js';
import { byEffort, type Case } from './case.js';
import { compare } from './comparison.js';

const kMessageTokens = 64;
const kGuard = kShapes['llama-guard-3-1b'];
const kEveryday = ['saferoute-int8', 'saferoute-int8-cold', 'llama-q8', 'llama-q8-cold', 'llama-q4', 'llama-q4-cold'];
const kHeavy = ['transformers-bf16', 'llama-bf16', 'llama-bf16-cold', 'saferoute-f32', 'saferoute-f32-cold'];
const kHeaviest = ['transformers-f32'];

/** Tokens of a prompt that a contender has to compute when it has read others with the same head before. */
export function computedTokens({ reuse }: Entrant, messageTokens: number): number {
  return (reuse ? 0 : kHeadTokens) + messageTokens + kTailTokens;
}

export const kLatency: Case = {
  name: 'latency',
  about: `one check alone, a message of ${kMessageTokens} tokens`,
  run: (bench) =>
    compare(bench, {
      case: 'latency',
      guard: kGuard.name,
      inFlight: 1,
      promptTokens: kHeadTokens + kMessageTokens + kTailTokens,
      entrants: byEffort(bench, kEveryday, [...kEveryday, ...kHeavy], [...kEveryday, ...kHeavy, ...kHeaviest]),
      points: [
        {
          label: `${kMessageTokens}-token message`,
          unit: 'ms',
          samples: byEffort(bench, 9, 15, 40),
          warmups: 2,
          work: (round, { reuse }) => ({ kind: 'read', prompts: [prompt(kMessageTokens, round)], reuse }),
          values: ({ ms }) => [ms],
          operations: (who) => gemmOperations(kGuard, computedTokens(who, kMessageTokens)),
        },
      ],
    }),
};
