// What the engine must reach on the CPU: mostly beside others on the same machine.
import type { Target } from './targets.js';

export const kCpuTargets: readonly Target[] = [
  ratio('latency', 'llama-q8', 'at most', 0.33, 'one check against node-llama-cpp Q8_0 with prefix reuse'),
  ratio('latency', 'llama-q4', 'at most', 0.55, 'one check against node-llama-cpp Q4_0 with prefix reuse'),
  ratio('latency', 'llama-q8-cold', 'at most', 0.14, 'one check against node-llama-cpp Q8_0 without reuse'),
  ratio('latency', 'transformers-bf16', 'at most', 0.12, "one check against transformers bf16, the paper's way"),
  ratio('throughput', 'llama-q8', 'at least', 3, '32 in flight against node-llama-cpp Q8_0'),
  ratio('throughput', 'llama-q4', 'at least', 1.8, '32 in flight against node-llama-cpp Q4_0'),
  ratio('prefill', 'gemm-int8-all-layers', 'at most', 1 / 0.75, 'a prefill against its GEMMs alone in ONNX Runtime'),
  ratio('machinery', 'saferoute-int8-router', 'at least', 100, 'the forward pass against the router within it'),
  ratio('machinery', 'saferoute-int8-text', 'at least', 1 / 1.03, 'the forward pass against the whole check'),
  ratio('router', 'onnxruntime-router', 'at most', 0.5, 'the router alone against onnxruntime-node'),
  ratio('cold-start', 'gemm-int8-all-layers', 'at most', 1.5, 'a start from the weight cache against a bare session'),
  {
    ...ratio('moderation', 'saferoute-int8-text', 'at most', 1.25, 'tokens computed over those that must be'),
    point: /^computed/,
    of: 'median',
  },
  {
    ...ratio('event-loop', 'saferoute-int8', 'at most', 1, 'ms of timer lateness above the control, 99th percentile'),
    point: /^above/,
    of: 'median',
  },
];

function ratio(name: string, contender: string, bound: Target['bound'], limit: number, about: string): Target {
  // Latency is measured on other shapes too; the targets are those of the reference shape.
  const point = name === 'latency' ? /^llama-guard-3-1b$/ : null;
  return { case: name, point, contender, of: 'ratio', bound, limit, about };
}
