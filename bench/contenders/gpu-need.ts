// About how much of a GPU's memory a trial takes, so that only as many stand side by side as it holds; ours is given it as its limit.
import { type GuardShape, kShapes, layerWeights, type ShapeName, vocabularyWeights } from '../weights/shapes.js';
import type { Setup } from './contender.js';

/** Keys and values of each of our guards: what passes of `kGpuBatchTokens` work with, and prefixes. */
export const kGpuKvBytes = 2 * 2 ** 30;
/** Token budget of a pass of ours. */
export const kGpuBatchTokens = 8192;

const kContextBytes = 2 ** 30; // what CUDA and its libraries take of each process
const kSpareBytes = 2 ** 30; // of each guard, for graphs, workspaces and what is rounded up
const kTransformersRows = 16; // in a batch
const kBytesPerWeight: Readonly<Record<string, number>> = { bf16: 2, BF16: 2, fp8: 1, Q8_0: 34 / 32 };

/** Bytes; an estimate on the safe side. */
export function gpuNeed(setup: Setup): number {
  return kContextBytes + reservation(setup);
}

/** The same without what CUDA itself takes: what a load of ours may reserve. */
export function reservation(setup: Setup): number {
  const { guard, pair, engine } = setup;
  const names = [guard, pair?.large].filter((name): name is ShapeName => typeof name === 'string');
  const shapes = names.map((name): GuardShape => kShapes[name]);
  const total = (bytes: number[]) => bytes.reduce((sum, one) => sum + one, 0);
  const working = shapes.map((shape) => workingBytes(setup, shape));
  // Our guards run at the same time; those of the paper's way take turns with the same memory.
  const together = engine === 'saferoute' ? total(working) : Math.max(0, ...working);
  return total(shapes.map((shape) => kSpareBytes + heldBytes(setup, shape))) + together;
}

/** Weights, and keys and values that stay. */
function heldBytes({ engine, weights, inFlight, promptTokens }: Setup, shape: GuardShape): number {
  const perWeight = kBytesPerWeight[weights] ?? 2;
  const matrices = layerWeights(shape) * perWeight;
  const vocabulary = vocabularyWeights(shape) * perWeight;
  switch (engine) {
    case 'saferoute':
      // The embedding table stays in bf16; of the head only the verdict's rows are there.
      return matrices + 2 * shape.vocabSize * shape.hiddenSize + kGpuKvBytes;
    case 'node-llama-cpp':
      return matrices + vocabulary + inFlight * promptTokens * shape.layers * 2 * shape.kvHeads * shape.headDim * 2;
    case 'transformers':
      return matrices + vocabulary;
    case 'torch':
      return matrices;
    case 'onnxruntime-node':
    case 'control':
      return 0;
  }
}

/** What a pass takes on top. */
function workingBytes({ engine, inFlight, promptTokens }: Setup, shape: GuardShape): number {
  const { hiddenSize, heads, kvHeads, headDim, intermediateSize, vocabSize, layers } = shape;
  if (engine === 'transformers') {
    const tokens = Math.min(inFlight, kTransformersRows) * promptTokens;
    // Logits and hidden states of all positions, and as much as a layer's MLP again; in bf16.
    return 2 * tokens * (vocabSize + (layers + 1) * hiddenSize + 3 * intermediateSize);
  }
  // Hidden states, query, key and value, and the MLP's, as if all were in f32.
  return 4 * kGpuBatchTokens * (4 * hiddenSize + 2 * (heads + 2 * kvHeads) * headDim + 3 * intermediateSize);
}
