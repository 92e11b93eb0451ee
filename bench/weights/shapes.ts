// The guards whose shapes are measured, and how much arithmetic a prefill of each takes.
// Sources: config.json of Llama-Guard-3-1B (rope factor 8 and an untied head, unlike Llama-3.2-1B), Llama-3.1-8B and Qwen3-1.7B.

export interface GuardShape {
  readonly name: string;
  readonly architecture: 'llama' | 'qwen3';
  readonly layers: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly tiedHead: boolean;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling | null;
}

export interface RopeScaling {
  readonly factor: number;
  readonly lowFreqFactor: number;
  readonly highFreqFactor: number;
  readonly originalMaxPositions: number;
}

/** One GEMM of a layer: `(tokens, inputs) × (inputs, outputs)`. */
export interface Gemm {
  readonly name: 'qkv' | 'output' | 'gateUp' | 'down';
  readonly inputs: number;
  readonly outputs: number;
}

const kLlama = {
  architecture: 'llama',
  vocabSize: 128_256,
  tiedHead: false,
  rmsNormEps: 1e-5,
  ropeTheta: 500_000,
  ropeScaling: { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
} as const;

export const kShapes = {
  'llama-guard-3-1b': {
    ...kLlama,
    name: 'llama-guard-3-1b',
    layers: 16,
    hiddenSize: 2048,
    heads: 32,
    kvHeads: 8,
    headDim: 64,
    intermediateSize: 8192,
  },
  'llama-guard-3-8b': {
    ...kLlama,
    name: 'llama-guard-3-8b',
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 8,
    headDim: 128,
    intermediateSize: 14_336,
  },
  'qwen3-1.7b': {
    name: 'qwen3-1.7b',
    architecture: 'qwen3',
    layers: 28,
    hiddenSize: 2048,
    heads: 16,
    kvHeads: 8,
    headDim: 128,
    intermediateSize: 6144,
    vocabSize: 151_936,
    tiedHead: true,
    rmsNormEps: 1e-6,
    ropeTheta: 1_000_000,
    ropeScaling: null,
  },
} as const satisfies Record<string, GuardShape>;

export type ShapeName = keyof typeof kShapes;

/** The four GEMMs of one layer, query, key and value in one, gate and up in one. */
export function layerGemms(shape: GuardShape): Gemm[] {
  const { hiddenSize, heads, kvHeads, headDim, intermediateSize } = shape;
  return [
    { name: 'qkv', inputs: hiddenSize, outputs: (heads + 2 * kvHeads) * headDim },
    { name: 'output', inputs: heads * headDim, outputs: hiddenSize },
    { name: 'gateUp', inputs: hiddenSize, outputs: 2 * intermediateSize },
    { name: 'down', inputs: intermediateSize, outputs: hiddenSize },
  ];
}

/** Multiplications and additions in the GEMMs of `layers` layers over `tokens` tokens; attention and the head are not counted. */
export function gemmOperations(shape: GuardShape, tokens: number, layers = shape.layers): number {
  const perLayer = layerGemms(shape).reduce((sum, { inputs, outputs }) => sum + 2 * inputs * outputs, 0);
  return perLayer * layers * tokens;
}

/** Values in the layers' matrices. */
export function layerWeights(shape: GuardShape): number {
  return gemmOperations(shape, 1) / 2;
}

/** Values in the embedding table, and in the head where that is another. */
export function vocabularyWeights({ vocabSize, hiddenSize, tiedHead }: GuardShape): number {
  return vocabSize * hiddenSize * (tiedHead ? 1 : 2);
}
