// 32 checks in flight, with messages as long as real ones: how many are answered in a second.
import { drawLength, messageLengths } from '../prompts/message-lengths.js';
import { headOnly, longest, prompt } from '../prompts/prompts.js';
import { randomIntegers } from '../weights/random-values.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { byEffort, type Case, entrantsFor } from './case.js';
import { compare } from './comparison.js';
import { computedTokens } from './latency.js';

const kInFlight = 32;
const kGuard = kShapes['llama-guard-3-1b'];
const kLengthSeed = 11;
const kQuick = ['saferoute-int8', 'llama-q8'];
const kEveryday = [...kQuick, 'llama-q4'];
const kOthers = ['saferoute-int8-cold', 'llama-q8-cold', 'llama-q4-cold', 'transformers-bf16'];
const kHeavy = ['saferoute-f32', 'llama-bf16', 'transformers-f32'];

/** The same lengths in every round, so that rounds differ only in what the machine does. `(kInFlight)` */
function lengths(): number[] {
  const histogram = messageLengths();
  const next = randomIntegers(kLengthSeed);
  return Array.from({ length: kInFlight }, () => drawLength(histogram, next));
}

export const kThroughput: Case = {
  name: 'throughput',
  about: `${kInFlight} checks in flight, messages as long as those of the OpenAI moderation set`,
  quick: true,
  run: (bench) => {
    const messages = lengths();
    const prompts = (round: number) => messages.map((tokens, index) => prompt(tokens, round * kInFlight + index));
    return compare(bench, {
      case: 'throughput',
      guard: kGuard.name,
      inFlight: kInFlight,
      promptTokens: longest(prompts(0)),
      entrants: entrantsFor(bench, kQuick, [...kEveryday, ...kOthers], [...kEveryday, ...kOthers, ...kHeavy]),
      points: [
        {
          label: `${kInFlight} in flight`,
          unit: 'checks/s',
          samples: byEffort(bench, 1, 5, 12),
          warmups: 1,
          // Whoever keeps a history for each prompt in flight has the head in each; the messages are new in every sample anyway.
          warmup: ({ reuse }) => ({ kind: 'read', prompts: Array.from(messages, headOnly), reuse }),
          work: (round, { reuse }) => ({ kind: 'read', prompts: prompts(round), reuse }),
          values: ({ ms }) => [(kInFlight * 1000) / ms],
          operations: (who) =>
            messages.reduce((sum, tokens) => sum + gemmOperations(kGuard, computedTokens(who, tokens)), 0),
        },
      ],
    });
  },
};
