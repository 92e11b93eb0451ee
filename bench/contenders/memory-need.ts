// About how much of the host's memory a trial on the CPU takes, so that only as many stand side by side as the machine holds.
import { type GuardShape, kShapes, layerWeights, type ShapeName, vocabularyWeights } from '../weights/shapes.js';
import type { Setup } from './contender.js';
import { kCeilingLayers } from './onnxruntime.js';

const kProcessBytes = 0.4 * 2 ** 30; // runtime, libraries, activations
const kBytesPerWeight: Readonly<Record<string, number>> = {
  int8: 1,
  f32: 4,
  bf16: 2,
  BF16: 2,
  Q8_0: 34 / 32,
  Q4_0: 18 / 32,
};

/** Bytes; an estimate on the safe side. */
export function memoryNeed(setup: Setup): number {
  const { engine, guard, weights, inFlight, promptTokens, pair } = setup;
  if (guard === null) return kProcessBytes;
  if (pair !== null)
    return memoryNeed({ ...setup, pair: null }) + memoryNeed({ ...setup, pair: null, guard: pair.large });
  const shape: GuardShape = kShapes[guard as ShapeName];
  const inLayers = layerWeights(shape);
  const embeddings = vocabularyWeights(shape);
  const perWeight = kBytesPerWeight[weights] ?? 1;
  switch (engine) {
    case 'control':
    case 'torch':
      return kProcessBytes;
    case 'saferoute':
      // The load converts one matrix at a time; keys and values have a budget of 256 MiB.
      return kProcessBytes + 2 ** 28 + 1.2 * inLayers * perWeight;
    case 'node-llama-cpp': {
      const keyValueBytes = inFlight * promptTokens * shape.layers * 2 * shape.kvHeads * shape.headDim * 2;
      // Weights that it repacks stand beside the mapped file.
      return kProcessBytes + keyValueBytes + (2 * inLayers + embeddings) * perWeight;
    }
    case 'transformers': {
      const logits = Math.min(inFlight, 16) * promptTokens * shape.vocabSize * perWeight;
      return 2 * kProcessBytes + 2 * logits + (inLayers + embeddings) * perWeight;
    }
    case 'onnxruntime-node': {
      const share = weights === 'int8-all-layers' ? 1 : kCeilingLayers / shape.layers;
      return kProcessBytes + 2 * share * inLayers * perWeight;
    }
  }
}
