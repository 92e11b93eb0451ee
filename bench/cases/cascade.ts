// A cascade at different shares of hard messages, beside the large guard reading everything.
import { kEscalationPercents, kLargeGuards } from '../contenders/entrants.js';
import { drawLength, messageLengths } from '../prompts/message-lengths.js';
import { longest, prompt } from '../prompts/prompts.js';
import { randomIntegers } from '../weights/random-values.js';
import { kShapes } from '../weights/shapes.js';
import { wordsText } from '../weights/template.js';
import { byEffort, type Case } from './case.js';
import { compare } from './comparison.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kInFlight = 32;
const kLengthSeed = 12;

export const kCascade: Case = {
  name: 'cascade',
  about: `checks a second, ${kInFlight} in flight, by the share that goes on to the large guard; a seeded coin decides`,
  quick: false,
  run: (bench) => {
    const large = bench.effort === 'full' ? kLargeGuards.full : kLargeGuards.everyday;
    const percents = byEffort(bench, [0, 20, 100], [...kEscalationPercents], [...kEscalationPercents]);
    const histogram = messageLengths();
    const next = randomIntegers(kLengthSeed);
    const lengths = Array.from({ length: kInFlight }, () => drawLength(histogram, next));
    return compare(bench, {
      case: 'cascade',
      guard: kGuard.name,
      inFlight: kInFlight,
      promptTokens: longest([prompt(Math.max(...lengths), 0)]),
      entrants: [`always-${large}`, ...percents.map((percent) => `cascade-${percent}-${large}`)],
      points: [
        {
          label: `${large} behind ${kGuard.name}`,
          unit: 'checks/s',
          samples: byEffort(bench, 2, 4, 8),
          warmups: 1,
          work: (round) => ({
            kind: 'check',
            texts: lengths.map((tokens, index) => wordsText(tokens, (round * kInFlight + index) * 97)),
          }),
          values: ({ ms }) => [(kInFlight * 1000) / ms],
        },
      ],
    });
  },
};
