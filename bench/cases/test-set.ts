// A whole test set at once, as long as the OpenAI moderation set: the cascade, each guard alone, and the paper's way on the same GPU. Beside them stand
// the figures that the paper gives for that set; they were measured by others, on another machine and in another way.
import type { Sample, Work } from '../contenders/contender.js';
import { kGpuLargeGuard } from '../contenders/cuda-entrants.js';
import type { Entrant } from '../contenders/entrant.js';
import { drawLength, messageLengths } from '../prompts/message-lengths.js';
import { longest, prompt } from '../prompts/prompts.js';
import { quoted } from '../report/figure.js';
import { randomIntegers } from '../weights/random-values.js';
import { gemmOperations, kShapes, type ShapeName } from '../weights/shapes.js';
import { wordsText } from '../weights/template.js';
import { byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';
import { computedTokens } from './latency.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kLengthSeed = 13;
const kWordsStep = 97; // shares no factor with the number of words there are, so that no two messages of a run begin alike
const kWarmupMessages = 64; // of those who need no more
const kOurs = (weights: 'bf16' | 'fp8') => [
  `cascade-20-${kGpuLargeGuard}-${weights}`,
  `always-${kGpuLargeGuard}-${weights}`,
  `saferoute-${weights}-text`,
];
const kFields = {
  cuda: fieldOf(
    [...kOurs('bf16'), ...kOurs('fp8')],
    ['transformers-gpu-cascade', 'transformers-gpu-large', 'transformers-gpu'],
  ),
};

const kPaper =
  'arXiv 2502.12464, Table 7: one NVIDIA H200, transformers in bf16, LG3-1B and LG3-8B; it names no unit, taken as seconds of the whole set';
const kPaperSeconds = { 'paper: SafeRoute': 18.46, 'paper: large guard': 42.72, 'paper: small guard': 9.24 };

export const kTestSet: Case = {
  name: 'test-set',
  about: `seconds for as many messages as the OpenAI moderation set has, and as long; 20 % of a cascade's go on to ${kGpuLargeGuard}`,
  quick: false,
  devices: ['cuda'],
  run: async (bench) => {
    const messages = setLengths();
    const label = `${messages.length} messages`;
    const prompts = (round: number) => messages.map((tokens, index) => prompt(tokens, round * messages.length + index));
    const figures = await compare(bench, {
      case: 'test-set',
      guard: kGuard.name,
      inFlight: messages.length,
      promptTokens: longest(prompts(0)),
      entrants: entrantsFor(bench, kFields),
      points: [
        {
          label,
          unit: 's',
          samples: byEffort(bench, 1, 2, 5),
          warmups: 1,
          // The paper's way takes minutes, and has no shapes or caches to be warmed by the rest.
          warmup: (who) => (who.text ? textsOf(messages, 0) : readOf(prompts(0).slice(0, kWarmupMessages))),
          work: (round, who) => (who.text ? textsOf(messages, round) : readOf(prompts(round))),
          values: ({ ms }: Sample) => [ms / 1000],
          operations: (who) => operations(who, messages),
        },
      ],
    });
    const place = { case: 'test-set', point: label, unit: 's' as const };
    const theirs = Object.entries(kPaperSeconds).map(([contender, seconds]) =>
      quoted({ ...place, contender }, seconds, kPaper),
    );
    return figures.length > 0 ? [...figures, ...theirs] : [];
  },
};

/** One length for each message of the set. */
export function setLengths(): number[] {
  const histogram = messageLengths();
  const next = randomIntegers(kLengthSeed);
  const messages = histogram.counts.reduce((sum, count) => sum + count, 0);
  return Array.from({ length: messages }, () => drawLength(histogram, next));
}

/** No two rounds have a message in common. */
function textsOf(messages: readonly number[], round: number): Work {
  const texts = messages.map((tokens, index) => wordsText(tokens, (round * messages.length + index) * kWordsStep));
  return { kind: 'check', texts };
}

function readOf(prompts: Int32Array[]): Work {
  return { kind: 'read', prompts, reuse: false };
}

/** GEMM operations of the tokens that must be computed: by the guard that reads all, and of a pair's large one in the mean. */
function operations(who: Entrant, messages: readonly number[]): number {
  const tokens = messages.reduce((sum, length) => sum + computedTokens(who, length), 0);
  const first = gemmOperations(who.guard === undefined ? kGuard : kShapes[who.guard], tokens);
  return first + (who.pair ? who.pair.rate * gemmOperations(kShapes[who.pair.large as ShapeName], tokens) : 0);
}
