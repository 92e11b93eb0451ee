// Who takes part on an NVIDIA GPU.
import type { ShapeName } from '../weights/shapes.js';
import { cascades, type Entrant, withAndWithoutReuse } from './entrant.js';

/** The large guard of every cascade there: the paper's own. */
export const kGpuLargeGuard = 'llama-guard-3-8b' satisfies ShapeName;

/** The share of messages that went on to the large guard on the paper's test sets, by its own latencies. */
const kPaperRate = 0.2;

const kOurs = { engine: 'saferoute', device: 'cuda' } as const;
const kLlama = { engine: 'node-llama-cpp', device: 'cuda' } as const;
const kTransformers = { engine: 'transformers', device: 'cuda', weights: 'bf16', reuse: false } as const;
const kTorch = { engine: 'torch', device: 'cuda', weights: 'bf16', reuse: false } as const;

function oursIn(weights: 'bf16' | 'fp8'): Entrant[] {
  const name = `saferoute-${weights}`;
  return [
    ...withAndWithoutReuse({ ...kOurs, name, weights }),
    { ...kOurs, name: `${name}-text`, weights, reuse: true, text: true },
    { ...kOurs, name: `${name}-router`, weights, reuse: false },
    ...cascades(kGpuLargeGuard, { device: 'cuda', weights }, `-${weights}`),
  ];
}

export const kCudaEntrants: readonly Entrant[] = [
  ...oursIn('bf16'),
  ...oursIn('fp8'),
  ...withAndWithoutReuse({ ...kLlama, name: 'llama-q8-gpu', weights: 'Q8_0' }),
  ...withAndWithoutReuse({ ...kLlama, name: 'llama-bf16-gpu', weights: 'BF16' }),
  { ...kTransformers, name: 'transformers-gpu' },
  { ...kTransformers, name: 'transformers-gpu-large', guard: kGpuLargeGuard },
  { ...kTransformers, name: 'transformers-gpu-cascade', pair: { large: kGpuLargeGuard, rate: kPaperRate } },
  { ...kTorch, name: 'torch-gemm' },
  { ...kTorch, name: 'torch-router' },
];
