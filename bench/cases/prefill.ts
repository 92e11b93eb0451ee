// A prefill of new tokens beside its own GEMMs alone, in one process: what everything between two GEMMs costs.
import { bareWords } from '../prompts/prompts.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { byEffort, type Case } from './case.js';
import { compare } from './comparison.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kTokens = [128, 256, 512];

export const kPrefill: Case = {
  name: 'prefill',
  about: 'new tokens without any template, beside the same GEMMs of ONNX Runtime and nothing else, in one process',
  quick: true,
  run: (bench) =>
    compare(bench, {
      case: 'prefill',
      guard: kGuard.name,
      inFlight: 1,
      promptTokens: Math.max(...kTokens),
      entrants: ['saferoute-int8-cold', 'gemm-int8-all-layers'],
      together: true,
      points: byEffort(bench, [128, 512], kTokens, kTokens).map((tokens) => ({
        label: `${tokens} new tokens`,
        unit: 'ms' as const,
        samples: byEffort(bench, 5, 15, 40),
        warmups: 2,
        work: (round, { engine }) =>
          engine === 'saferoute'
            ? { kind: 'read', prompts: [bareWords(tokens, round)], reuse: false }
            : { kind: 'multiply', tokens },
        values: ({ ms }) => [ms],
        operations: () => gemmOperations(kGuard, tokens),
      })),
    }),
};
