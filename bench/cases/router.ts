// The router alone, one feature at a time.
import { normalValues } from '../weights/random-values.js';
import { byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';

const kFeatureSize = 2048;
const kFeatures = 100; // in one sample, so that its time is far above the clock's step
const kFields = {
  cpu: fieldOf(['saferoute-int8', 'onnxruntime-router']),
  cuda: fieldOf(['saferoute-bf16', 'torch-router']),
};

export const kRouter: Case = {
  name: 'router',
  about: `the official router's network alone, features of ${kFeatureSize} values, one at a time`,
  quick: true,
  devices: ['cpu', 'cuda'],
  run: (bench) =>
    compare(bench, {
      case: 'router',
      guard: 'llama-guard-3-1b',
      inFlight: 1,
      promptTokens: 1,
      entrants: entrantsFor(bench, kFields),
      points: [
        {
          label: 'one feature',
          unit: 'ms',
          samples: byEffort(bench, 15, 30, 60),
          warmups: 3,
          work: (round) => ({
            kind: 'route',
            features: Array.from({ length: kFeatures }, (_, at) =>
              normalValues(kFeatureSize, 1, round * kFeatures + at),
            ),
          }),
          values: ({ each }) => each,
        },
      ],
    }),
};
