// Checks a second over how many are in flight and how long their messages are, the template's head in the cache.
import { longest, prompt } from '../prompts/prompts.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';
import { computedTokens } from './latency.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kField = fieldOf(['saferoute-int8'], ['llama-q8', 'llama-q4']);

export const kMatrix: Case = {
  name: 'matrix',
  about: 'checks a second by checks in flight and length of message',
  quick: false,
  devices: ['cpu'],
  run: (bench) => {
    const batches = byEffort(bench, [1, 8], [1, 4, 16], [1, 2, 4, 8, 16, 32]);
    const messages = byEffort(bench, [16, 128], [16, 64, 256], [16, 64, 256, 1024]);
    return compare(bench, {
      case: 'matrix',
      guard: kGuard.name,
      inFlight: Math.max(...batches),
      promptTokens: longest([prompt(Math.max(...messages), 0)]),
      entrants: entrantsFor(bench, { cpu: kField }),
      points: batches.flatMap((rows) =>
        messages.map((tokens) => ({
          label: `${rows} × ${tokens} tokens`,
          unit: 'checks/s' as const,
          samples: byEffort(bench, 3, 5, 10),
          warmups: 1,
          work: (round, { reuse }) => ({
            kind: 'read',
            prompts: Array.from({ length: rows }, (_, row) => prompt(tokens, round * rows + row)),
            reuse,
          }),
          values: ({ ms }) => [(rows * 1000) / ms],
          operations: (who) => rows * gemmOperations(kGuard, computedTokens(who, tokens)),
        })),
      ),
    });
  },
};
