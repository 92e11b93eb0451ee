// What this machine's GEMMs reach when nothing stands between them: the measure that every other figure is a share of.
import { kCeilingLayers } from '../contenders/onnxruntime.js';
import type { Figure } from '../report/figure.js';
import { gemmOperations, kShapes } from '../weights/shapes.js';
import { type Bench, byEffort, type Case, type Peak } from './case.js';
import { compare } from './comparison.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kTokens = [64, 128, 256, 512];

export const kCeiling: Case = {
  name: 'ceiling',
  about: `the GEMMs of ${kCeilingLayers} layers alone, MatMulInteger and float32 MatMul of ONNX Runtime`,
  quick: true,
  run: (bench) =>
    compare(bench, {
      case: 'ceiling',
      guard: kGuard.name,
      inFlight: 1,
      promptTokens: Math.max(...kTokens),
      entrants: ['gemm-int8', 'gemm-f32'],
      points: kTokens.map((tokens) => ({
        label: `${tokens} tokens`,
        unit: 'GOP/s' as const,
        samples: byEffort(bench, 4, 9, 25),
        warmups: 2,
        work: () => ({ kind: 'multiply' as const, tokens }),
        values: ({ ms }) => [gemmOperations(kGuard, tokens, kCeilingLayers) / ms / 1e6],
      })),
    }),
};

/** The best that any batch reached. Null where the ceiling could not be measured. */
export function peakOf(figures: readonly Figure[]): Peak | null {
  const best = (contender: string) =>
    Math.max(...figures.filter((figure) => figure.contender === contender).map((figure) => figure.median * 1e6));
  const peak = { int8: best('gemm-int8'), f32: best('gemm-f32') };
  return Number.isFinite(peak.int8) && Number.isFinite(peak.f32) ? peak : null;
}

/** The ceiling is measured by all of a run's contenders or none: a choice of contenders does not concern it. */
export function measureCeiling(bench: Bench): Promise<Figure[]> {
  return kCeiling.run({ ...bench, chosen: null });
}
