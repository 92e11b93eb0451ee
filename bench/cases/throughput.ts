// Many checks in flight, with messages as long as real ones: how many are answered in a second.
import { drawLength, messageLengths } from '../prompts/message-lengths.js';
import { headOnly, longest, prompt } from '../prompts/prompts.js';
import type { Figure } from '../report/figure.js';
import { randomIntegers } from '../weights/random-values.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { type Bench, byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';
import { computedTokens } from './latency.js';

const kInFlight = { cpu: [32], cuda: [32, 256] };
const kGuard = kShapes['llama-guard-3-1b'];
const kLengthSeed = 11;
const kFields = {
  cpu: fieldOf(
    ['saferoute-int8', 'llama-q8'],
    ['llama-q4', 'saferoute-int8-cold', 'llama-q8-cold', 'llama-q4-cold', 'transformers-bf16'],
    ['saferoute-f32', 'llama-bf16', 'transformers-f32'],
  ),
  cuda: fieldOf(
    ['saferoute-bf16', 'saferoute-fp8'],
    ['saferoute-bf16-cold', 'saferoute-fp8-cold', 'transformers-gpu', 'llama-q8-gpu', 'llama-bf16-gpu'],
    ['llama-bf16-gpu-cold'],
  ),
};

/** The same lengths in every round, so that rounds differ only in what the machine does. `(count)` */
function lengths(count: number): number[] {
  const histogram = messageLengths();
  const next = randomIntegers(kLengthSeed);
  return Array.from({ length: count }, () => drawLength(histogram, next));
}

export const kThroughput: Case = {
  name: 'throughput',
  about: 'many checks in flight, messages as long as those of the OpenAI moderation set',
  quick: true,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    const figures: Figure[] = [];
    for (const inFlight of kInFlight[bench.device]) figures.push(...(await compareAt(bench, inFlight)));
    return figures;
  },
};

function compareAt(bench: Bench, inFlight: number): Promise<Figure[]> {
  const messages = lengths(inFlight);
  const prompts = (round: number) => messages.map((tokens, index) => prompt(tokens, round * inFlight + index));
  return compare(bench, {
    case: 'throughput',
    guard: kGuard.name,
    inFlight,
    promptTokens: longest(prompts(0)),
    entrants: entrantsFor(bench, kFields),
    points: [
      {
        label: `${inFlight} in flight`,
        unit: 'checks/s',
        samples: byEffort(bench, 1, 5, 12),
        warmups: 1,
        // Whoever keeps a history for each prompt in flight has the head in each; the messages are new in every sample anyway.
        warmup: ({ reuse }) => ({ kind: 'read', prompts: Array.from(messages, headOnly), reuse }),
        work: (round, { reuse }) => ({ kind: 'read', prompts: prompts(round), reuse }),
        values: ({ ms }) => [(inFlight * 1000) / ms],
        operations: (who) =>
          messages.reduce((sum, tokens) => sum + gemmOperations(kGuard, computedTokens(who, tokens)), 0),
      },
    ],
  });
}
