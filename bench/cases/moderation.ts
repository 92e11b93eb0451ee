// A response that is judged every 32 tokens while it is written: what all its checks take together.
import type { Work } from '../contenders/contender.js';
import type { Entrant } from '../contenders/entrant.js';
import { growingPrompts, longest } from '../prompts/prompts.js';
import { kShapes } from '../weights/shapes.js';
import { kTailTokens, wordsText } from '../weights/template.js';
import { byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kEvery = 32;
const kQuestionTokens = 20;
const kFields = {
  cpu: fieldOf(['saferoute-int8', 'saferoute-int8-text'], ['llama-q8', 'llama-q4'], ['saferoute-int8-cold']),
  cuda: fieldOf(['saferoute-bf16', 'saferoute-bf16-text', 'saferoute-fp8-text'], ['llama-q8-gpu', 'llama-bf16-gpu']),
};

function workOf(responseTokens: number): (round: number, entrant: Entrant) => Work {
  return (round, { text, reuse }) => {
    if (!text) return { kind: 'read-in-turn', prompts: growingPrompts(responseTokens, kEvery, round), reuse };
    const question = wordsText(kQuestionTokens, round);
    return {
      kind: 'moderate',
      question,
      response: wordsText(responseTokens, 3000 + round * responseTokens),
      every: kEvery,
    };
  };
}

export const kModeration: Case = {
  name: 'moderation',
  about: `a response judged every ${kEvery} tokens while it is written: all checks together`,
  quick: true,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    const responseTokens = byEffort(bench, 320, 1000, 1000);
    const samples = byEffort(bench, 1, 4, 10);
    const shared = {
      case: 'moderation',
      guard: kGuard.name,
      inFlight: 1,
      promptTokens: longest(growingPrompts(responseTokens, kEvery, 0)),
    };
    const point = { warmups: 1, work: workOf(responseTokens) };
    // Tokens do not vary, so a single sample tells; the least that must be computed is the response and, for each check, the tail.
    const least = responseTokens + Math.ceil(responseTokens / kEvery) * kTailTokens;
    return compare(bench, {
      ...shared,
      entrants: entrantsFor(bench, kFields),
      points: [
        { ...point, label: `${responseTokens} tokens`, unit: 'ms', samples, values: ({ ms }) => [ms] },
        {
          ...point,
          label: `computed tokens over the ${least} that must be`,
          unit: '×',
          samples: 1,
          warmups: 0,
          work: (_, who) => point.work(samples + 1, who),
          values: ({ tokens }) => (tokens === undefined ? [] : [tokens / least]),
        },
      ],
    });
  },
};
