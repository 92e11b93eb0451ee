// What the GEMMs of this machine, or of its GPU, reach when nothing stands between them: the measure that every other figure is a share of.
import { entrant } from '../contenders/entrants.js';
import { kCeilingLayers } from '../contenders/onnxruntime.js';
import type { Figure } from '../report/figure.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { type Bench, byEffort, type Case, type Peak } from './case.js';
import { compare } from './comparison.js';

/** On each device, by which GEMMs, over how many layers, and by whom. */
const kSetups = {
  cpu: {
    guard: kShapes['llama-guard-3-1b'],
    layers: kCeilingLayers,
    tokens: [64, 128, 256, 512],
    entrants: ['gemm-int8', 'gemm-f32'],
  },
  cuda: {
    guard: kShapes['llama-guard-3-8b'],
    layers: kShapes['llama-guard-3-8b'].layers,
    tokens: [512, 2048, 8192],
    entrants: ['torch-gemm'],
  },
};

export const kCeiling: Case = {
  name: 'ceiling',
  about: `the GEMMs of layers alone: ${kCeilingLayers} layers in MatMulInteger and float32 MatMul of ONNX Runtime on the CPU, the 8B guard's in bf16 of PyTorch on a GPU`,
  quick: true,
  devices: ['cpu', 'cuda'],
  run: (bench) => {
    const { guard, layers, tokens: counts, entrants } = kSetups[bench.device];
    return compare(bench, {
      case: 'ceiling',
      guard: guard.name,
      inFlight: 1,
      promptTokens: Math.max(...counts),
      entrants,
      points: counts.map((tokens) => ({
        label: `${tokens} tokens`,
        unit: 'GOP/s' as const,
        samples: byEffort(bench, 4, 9, 25),
        warmups: 2,
        work: () => ({ kind: 'multiply' as const, tokens }),
        values: ({ ms }) => [gemmOperations(guard, tokens, layers) / ms / 1e6],
      })),
    });
  },
};

/** The best that any batch reached, by weights. Null where the ceiling could not be measured. */
export function peakOf(figures: readonly Figure[]): Peak | null {
  const peak = new Map<string, number>();
  for (const { contender, median } of figures) {
    const { weights } = entrant(contender);
    peak.set(weights, Math.max(peak.get(weights) ?? 0, median * 1e6));
  }
  return peak.size > 0 ? peak : null;
}

/** The ceiling is measured by all of a run's contenders or none: a choice of contenders does not concern it. */
export function measureCeiling(bench: Bench): Promise<Figure[]> {
  return kCeiling.run({ ...bench, chosen: null });
}
