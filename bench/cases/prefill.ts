// A prefill of new tokens beside its own GEMMs alone: what everything between two GEMMs costs.
import type { Entrant } from '../contenders/entrant.js';
import { bareWords } from '../prompts/prompts.js';
import type { Figure } from '../report/figure.js';
import { gemmOperations, kShapes, type ShapeName } from '../weights/shapes.js';
import { type Bench, byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { compare } from './comparison.js';

const kFields = {
  cpu: fieldOf(['saferoute-int8-cold', 'gemm-int8-all-layers']),
  cuda: fieldOf(['saferoute-bf16-cold', 'saferoute-fp8-cold', 'torch-gemm'], ['transformers-gpu']),
};
const kGuards: Record<Bench['device'], ShapeName[]> = {
  cpu: ['llama-guard-3-1b'],
  cuda: ['llama-guard-3-1b', 'llama-guard-3-8b'],
};

export const kPrefill: Case = {
  name: 'prefill',
  about:
    'new tokens without any template, beside the same GEMMs and nothing else: ONNX Runtime’s in the same process, or PyTorch’s on the same GPU',
  quick: true,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    const figures: Figure[] = [];
    for (const guard of kGuards[bench.device]) figures.push(...(await compareGuard(bench, guard)));
    return figures;
  },
};

function compareGuard(bench: Bench, guard: ShapeName): Promise<Figure[]> {
  const onGpu = bench.device === 'cuda';
  const counts = onGpu ? [512, 2048, 4096] : byEffort(bench, [128, 512], [128, 256, 512], [128, 256, 512]);
  return compare(bench, {
    case: 'prefill',
    guard,
    inFlight: 1,
    promptTokens: Math.max(...counts),
    entrants: entrantsFor(bench, kFields),
    together: !onGpu,
    points: counts.map((tokens) => ({
      label: onGpu ? `${guard}, ${tokens} new tokens` : `${tokens} new tokens`,
      unit: 'ms' as const,
      samples: byEffort(bench, 5, 15, 40),
      warmups: 2,
      work: (round: number, { engine }: Entrant) =>
        engine === 'torch' || engine === 'onnxruntime-node'
          ? { kind: 'multiply' as const, tokens }
          : { kind: 'read' as const, prompts: [bareWords(tokens, round)], reuse: false },
      values: ({ ms }: { ms: number }) => [ms],
      operations: () => gemmOperations(kShapes[guard], tokens),
    })),
  });
}
