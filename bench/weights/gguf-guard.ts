// A guard's GGUF file, as llama.cpp reads it, with random weights of a real shape.
import { cached } from './cache-directory.js';
import { type GgmlFormat, quantizeQ4, quantizeQ8 } from './ggml-blocks.js';
import { type GgufTensor, type GgufValue, ggufTensorBytes, writeGguf } from './gguf.js';
import { kWeightDeviation, normalValues, toBf16 } from './random-values.js';
import { ropeFactors } from './rope-factors.js';
import type { GuardShape } from './shapes.js';
import { beginOfText } from './tokenizer-file.js';

export type WeightFormat = Exclude<GgmlFormat, 'F32'>;

const kBlockValues = 32 * 62_507; // a prime number of blocks, so that rows differ
const kContextTokens = 131_072;
const kFileTypes: Readonly<Record<WeightFormat, number>> = { Q4_0: 2, Q8_0: 7, BF16: 32 };
const kNormal = 1; // token types of llama.cpp's vocabulary
const kUnknown = 2;
const kControl = 3;
const kByte = 6;

/** Path of the file, generated on first use. */
export function ggufFile(shape: GuardShape, format: WeightFormat): string {
  const bytes = guardTensors(shape, format, new Uint8Array()).reduce((sum, tensor) => sum + ggufTensorBytes(tensor), 0);
  return cached(`gguf/${shape.name}-${format.toLowerCase()}.gguf`, bytes, (path) => {
    writeGguf(path, guardMetadata(shape, format), guardTensors(shape, format, weightBlock(format)));
  });
}

function weightBlock(format: WeightFormat): Uint8Array {
  const values = normalValues(kBlockValues, kWeightDeviation, 1);
  return { BF16: toBf16, Q8_0: quantizeQ8, Q4_0: quantizeQ4 }[format](values);
}

function guardTensors(shape: GuardShape, format: WeightFormat, weights: Uint8Array): GgufTensor[] {
  const { hiddenSize, headDim, intermediateSize, vocabSize } = shape;
  const matrix = (name: string, inputs: number, outputs: number): GgufTensor => ({
    name: `${name}.weight`,
    format,
    shape: [inputs, outputs],
    block: weights,
  });
  const vector = (name: string, values: Float32Array): GgufTensor => ({
    name: `${name}.weight`,
    format: 'F32',
    shape: [values.length],
    block: new Uint8Array(values.buffer),
  });
  const norm = (name: string, size: number) => vector(name, new Float32Array(size).fill(1));
  const layer = (at: number): GgufTensor[] => {
    const block = `blk.${at}`;
    const qkNorms = ['attn_q_norm', 'attn_k_norm'].map((name) => norm(`${block}.${name}`, headDim));
    return [
      norm(`${block}.attn_norm`, hiddenSize),
      matrix(`${block}.attn_q`, hiddenSize, shape.heads * headDim),
      matrix(`${block}.attn_k`, hiddenSize, shape.kvHeads * headDim),
      matrix(`${block}.attn_v`, hiddenSize, shape.kvHeads * headDim),
      matrix(`${block}.attn_output`, shape.heads * headDim, hiddenSize),
      ...(shape.architecture === 'qwen3' ? qkNorms : []),
      norm(`${block}.ffn_norm`, hiddenSize),
      matrix(`${block}.ffn_gate`, hiddenSize, intermediateSize),
      matrix(`${block}.ffn_up`, hiddenSize, intermediateSize),
      matrix(`${block}.ffn_down`, intermediateSize, hiddenSize),
    ];
  };
  return [
    matrix('token_embd', hiddenSize, vocabSize),
    norm('output_norm', hiddenSize),
    ...(shape.tiedHead ? [] : [matrix('output', hiddenSize, vocabSize)]),
    ...(shape.ropeScaling === null ? [] : [vector('rope_freqs', ropeFactors(shape))]),
    ...Array.from({ length: shape.layers }, (_, at) => layer(at)).flat(),
  ];
}

function guardMetadata(shape: GuardShape, format: WeightFormat): Record<string, GgufValue> {
  const arch = shape.architecture;
  const whole = (value: number): GgufValue => ({ type: 'u32', value });
  const real = (value: number): GgufValue => ({ type: 'f32', value });
  return {
    'general.architecture': { type: 'string', value: arch },
    'general.name': { type: 'string', value: `${shape.name}, random weights` },
    'general.file_type': whole(kFileTypes[format]),
    [`${arch}.block_count`]: whole(shape.layers),
    [`${arch}.context_length`]: whole(kContextTokens),
    [`${arch}.embedding_length`]: whole(shape.hiddenSize),
    [`${arch}.feed_forward_length`]: whole(shape.intermediateSize),
    [`${arch}.attention.head_count`]: whole(shape.heads),
    [`${arch}.attention.head_count_kv`]: whole(shape.kvHeads),
    [`${arch}.attention.key_length`]: whole(shape.headDim),
    [`${arch}.attention.value_length`]: whole(shape.headDim),
    [`${arch}.attention.layer_norm_rms_epsilon`]: real(shape.rmsNormEps),
    [`${arch}.rope.freq_base`]: real(shape.ropeTheta),
    [`${arch}.rope.dimension_count`]: whole(shape.headDim),
    [`${arch}.vocab_size`]: whole(shape.vocabSize),
    ...vocabulary(shape.vocabSize),
  };
}

/** Tokens are handed over as ids, so the vocabulary only has to be as large as the real one, and of a kind that llama.cpp accepts. */
function vocabulary(vocabSize: number): Record<string, GgufValue> {
  const bos = beginOfText(vocabSize);
  const tokens = Array.from({ length: vocabSize }, (_, id) => {
    if (id < 256) return `<0x${id.toString(16).toUpperCase().padStart(2, '0')}>`;
    return id < bos ? `token${id}` : `<control${id - bos}>`;
  });
  const types = Int32Array.from(tokens, (_, id) => (id < 256 ? kByte : id < bos ? kNormal : kControl));
  types[vocabSize - 1] = kUnknown;
  const whole = (value: number): GgufValue => ({ type: 'u32', value });
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.scores': { type: 'f32s', value: Float32Array.from(tokens, (_, id) => -id) },
    'tokenizer.ggml.token_type': { type: 'i32s', value: types },
    'tokenizer.ggml.bos_token_id': whole(bos),
    'tokenizer.ggml.eos_token_id': whole(bos + 1),
    'tokenizer.ggml.unknown_token_id': whole(vocabSize - 1),
  };
}
