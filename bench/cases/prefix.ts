// The same message behind heads of different length: read for the first time, and with the head in the cache.
import { longHeadPrompt } from '../prompts/prompts.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { kTailTokens } from '../weights/template.js';
import { byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kMessageTokens = 64;
const kField = fieldOf(
  ['saferoute-int8', 'saferoute-int8-cold'],
  ['llama-q8', 'llama-q8-cold', 'llama-q4', 'llama-q4-cold'],
);

export const kPrefix: Case = {
  name: 'prefix',
  about: `a message of ${kMessageTokens} tokens behind a constant head, cached or not`,
  quick: false,
  devices: ['cpu'],
  run: (bench) => {
    const heads = byEffort(bench, [139, 500], [139, 500, 1000], [139, 500, 1000, 2000]);
    const newTokens = kMessageTokens + kTailTokens;
    return compare(bench, {
      case: 'prefix',
      guard: kGuard.name,
      inFlight: 1,
      promptTokens: Math.max(...heads) + newTokens,
      entrants: entrantsFor(bench, { cpu: kField }),
      points: heads.map((head) => ({
        label: `head of ${head} tokens`,
        unit: 'ms' as const,
        samples: byEffort(bench, 5, 9, 20),
        warmups: 2,
        work: (round, { reuse }) => ({ kind: 'read', prompts: [longHeadPrompt(head, kMessageTokens, round)], reuse }),
        values: ({ ms }) => [ms],
        operations: ({ reuse }) => gemmOperations(kGuard, (reuse ? 0 : head) + newTokens),
      })),
    });
  },
};
