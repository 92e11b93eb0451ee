// What the engine must reach on a GPU. The figures are absolute and were set for an H200: on a GPU of another class they are shown and not judged.
import type { Target } from './targets.js';

/** By the name that the driver gives the device: "NVIDIA H100 80GB HBM3". */
export function isTargetGpu(name: string): boolean {
  return /\bG?H[12]00\b/.test(name);
}

export const kGpuTargets: readonly Target[] = [
  {
    ...limit('latency', 'saferoute-bf16', 2, 'ms of one check whose head is in the cache, bf16'),
    point: /^llama-guard-3-1b$/,
  },
  limit('test-set', 'cascade-20-llama-guard-3-8b-bf16', 3.5, 'seconds of the set, 20 % escalated, bf16'),
  limit('test-set', 'cascade-20-llama-guard-3-8b-fp8', 2.2, 'seconds of the set, 20 % escalated, FP8'),
  limit('test-set', 'always-llama-guard-3-8b-bf16', 10, 'seconds of the set, all by the large guard, bf16'),
  {
    ...limit('prefill', 'saferoute-bf16-cold', 0.6, 'share of the bf16 GEMM peak in a long prefill'),
    point: /, 4096 new tokens$/,
    of: 'share',
    bound: 'at least',
  },
];

function limit(name: string, contender: string, most: number, about: string): Target {
  return { case: name, point: null, contender, of: 'median', bound: 'at most', limit: most, about };
}
