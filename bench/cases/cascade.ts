// A cascade at different shares of hard messages, beside the large guard reading everything.
import { kLargeGuards } from '../contenders/cpu-entrants.js';
import { kGpuLargeGuard } from '../contenders/cuda-entrants.js';
import { kEscalationPercents } from '../contenders/entrant.js';
import { drawLength, messageLengths } from '../prompts/message-lengths.js';
import { longest, prompt } from '../prompts/prompts.js';
import { randomIntegers } from '../weights/random-values.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { wordsText } from '../weights/template.js';
import { type Bench, byEffort, type Case } from './case.js';
import { compare } from './comparison.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kInFlight = { cpu: 32, cuda: 256 };
const kLengthSeed = 12;

/** The large guard, and what tells the entrants of each kind of weights apart. */
function fields({ device, effort }: Bench): { large: ShapeName; suffixes: string[] } {
  if (device === 'cuda') return { large: kGpuLargeGuard, suffixes: ['-bf16', '-fp8'] };
  return { large: effort === 'full' ? kLargeGuards.full : kLargeGuards.everyday, suffixes: [''] };
}

export const kCascade: Case = {
  name: 'cascade',
  about: `checks a second, ${kInFlight.cpu} in flight (on a GPU ${kInFlight.cuda}), by the share that goes on to the large guard; a seeded coin decides`,
  quick: false,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    const { large, suffixes } = fields(bench);
    const inFlight = kInFlight[bench.device];
    const percents = byEffort(bench, [0, 20, 100], [...kEscalationPercents], [...kEscalationPercents]);
    const histogram = messageLengths();
    const next = randomIntegers(kLengthSeed);
    const lengths = Array.from({ length: inFlight }, () => drawLength(histogram, next));
    const compareWeights = (suffix: string) =>
      compare(bench, {
        case: 'cascade',
        guard: kGuard.name,
        inFlight,
        promptTokens: longest([prompt(Math.max(...lengths), 0)]),
        entrants: [`always-${large}`, ...percents.map((percent) => `cascade-${percent}-${large}`)].map(
          (name) => name + suffix,
        ),
        points: [
          {
            label: `${large} behind ${kGuard.name}${suffix.replace('-', ', ')}`,
            unit: 'checks/s',
            samples: byEffort(bench, 2, 4, 8),
            warmups: 1,
            work: (round) => ({
              kind: 'check',
              texts: lengths.map((tokens, index) => wordsText(tokens, (round * inFlight + index) * 97)),
            }),
            values: ({ ms }) => [(inFlight * 1000) / ms],
          },
        ],
      });
    const figures = [];
    for (const suffix of suffixes) figures.push(...(await compareWeights(suffix)));
    return figures;
  },
};
