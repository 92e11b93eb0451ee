// What a check costs beyond the guard's forward pass: template, tokenizer, queue and cascade around it; and the router within it.
import type { Work } from '../contenders/contender.js';
import type { Entrant } from '../contenders/entrant.js';
import { prompt } from '../prompts/prompts.js';
import { normalValues } from '../weights/random-values.js';
import { kShapes } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens, wordsText } from '../weights/template.js';
import { byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';

const kMessageTokens = 64;
const kGuard = kShapes['llama-guard-3-1b'];

const kFields = {
  cpu: fieldOf(['saferoute-int8', 'saferoute-int8-text', 'saferoute-int8-router']),
  cuda: fieldOf(['saferoute-bf16', 'saferoute-bf16-text', 'saferoute-bf16-router']),
};

function work(round: number, { name, text }: Entrant): Work {
  if (text) return { kind: 'check', texts: [wordsText(kMessageTokens, 2000 + round * kMessageTokens)] };
  if (name.endsWith('-router')) return { kind: 'route', features: [normalValues(kGuard.hiddenSize, 1, round + 1)] };
  return { kind: 'read', prompts: [prompt(kMessageTokens, round)], reuse: true };
}

export const kMachinery: Case = {
  name: 'machinery',
  about: 'the forward pass, the whole check of a text around it, and the router alone, its queue included',
  quick: true,
  devices: ['cpu', 'cuda'],
  run: (bench) =>
    compare(bench, {
      case: 'machinery',
      guard: kGuard.name,
      inFlight: 1,
      promptTokens: kHeadTokens + kMessageTokens + kTailTokens,
      entrants: entrantsFor(bench, kFields),
      points: [
        {
          label: `${kMessageTokens}-token message`,
          unit: 'ms',
          samples: byEffort(bench, 9, 25, 60),
          warmups: 3,
          work,
          values: ({ ms }) => [ms],
        },
      ],
    }),
};
