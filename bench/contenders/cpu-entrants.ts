// Who takes part on the CPU.
import type { ShapeName } from '../weights/shapes.js';
import { cascades, type Entrant, withAndWithoutReuse } from './entrant.js';

/** The large guard of the cascade: the 8B one where there is time and room for it. */
export const kLargeGuards = { everyday: 'qwen3-1.7b', full: 'llama-guard-3-8b' } as const satisfies Record<
  string,
  ShapeName
>;

const kOurs = { engine: 'saferoute', device: 'cpu' } as const;
const kLlama = { engine: 'node-llama-cpp', device: 'cpu' } as const;
const kTransformers = { engine: 'transformers', device: 'cpu', reuse: false } as const;
const kOnnxRuntime = { engine: 'onnxruntime-node', device: 'cpu', reuse: false } as const;

export const kCpuEntrants: readonly Entrant[] = [
  ...withAndWithoutReuse({ ...kOurs, name: 'saferoute-int8', weights: 'int8' }),
  { ...kOurs, name: 'saferoute-int8-text', weights: 'int8', reuse: true, text: true },
  { ...kOurs, name: 'saferoute-int8-router', weights: 'int8', reuse: false },
  ...Object.values(kLargeGuards).flatMap((large) => cascades(large, { device: 'cpu', weights: 'int8' })),
  ...withAndWithoutReuse({ ...kOurs, name: 'saferoute-f32', weights: 'f32' }),
  ...withAndWithoutReuse({ ...kLlama, name: 'llama-q8', weights: 'Q8_0' }),
  ...withAndWithoutReuse({ ...kLlama, name: 'llama-q4', weights: 'Q4_0' }),
  ...withAndWithoutReuse({ ...kLlama, name: 'llama-bf16', weights: 'BF16' }),
  { ...kTransformers, name: 'transformers-bf16', weights: 'bf16' },
  { ...kTransformers, name: 'transformers-f32', weights: 'f32' },
  { ...kOnnxRuntime, name: 'onnxruntime-router', weights: 'router' },
  { name: 'control', engine: 'control', device: 'cpu', weights: 'none', reuse: false },
  { ...kOnnxRuntime, name: 'gemm-int8', weights: 'int8' },
  { ...kOnnxRuntime, name: 'gemm-f32', weights: 'f32' },
  { ...kOnnxRuntime, name: 'gemm-int8-all-layers', weights: 'int8-all-layers' },
];
