// A guard in Hugging Face layout with random weights of a real shape: config.json, tokenizer, chat template, bf16 safetensors.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache-directory.js';
import { kWeightDeviation, normalValues, toBf16 } from './random-values.js';
import { type GeneratedTensor, tensorBytes, writeSafetensors } from './safetensors.js';
import type { GuardShape } from './shapes.js';
import { chatTemplate } from './template.js';
import { beginOfText, tokenizerFile } from './tokenizer-file.js';

const kBlockValues = 1_999_993; // a prime, so that no row of a matrix starts where another one did
const kMaxPositions = 131_072;

/** Directory of the guard, generated on first use. */
export function checkpointDirectory(shape: GuardShape): string {
  const tensors = checkpointTensors(shape, new Uint8Array(), new Uint8Array());
  const bytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  return cached(`checkpoints/${shape.name}`, bytes, (directory) => {
    mkdirSync(directory);
    const weights = toBf16(normalValues(kBlockValues, kWeightDeviation, 1));
    const ones = toBf16(new Float32Array(shape.headDim).fill(1));
    writeSafetensors(join(directory, 'model.safetensors'), checkpointTensors(shape, weights, ones));
    for (const [file, content] of Object.entries(jsonFiles(shape))) {
      writeFileSync(join(directory, file), JSON.stringify(content));
    }
  });
}

/** Names and shapes as transformers has them: `(outputs, inputs)`. */
function checkpointTensors(shape: GuardShape, weights: Uint8Array, ones: Uint8Array): GeneratedTensor[] {
  const { hiddenSize, headDim, intermediateSize, vocabSize } = shape;
  const tensor = (name: string, block: Uint8Array, ...dims: number[]): GeneratedTensor => ({
    name: `${name}.weight`,
    dtype: 'BF16',
    shape: dims,
    block,
  });
  const layer = (at: number): GeneratedTensor[] => {
    const [block, attention, mlp] = [`model.layers.${at}`, `model.layers.${at}.self_attn`, `model.layers.${at}.mlp`];
    const qkNorms = ['q_norm', 'k_norm'].map((name) => tensor(`${attention}.${name}`, ones, headDim));
    return [
      tensor(`${block}.input_layernorm`, ones, hiddenSize),
      tensor(`${attention}.q_proj`, weights, shape.heads * headDim, hiddenSize),
      tensor(`${attention}.k_proj`, weights, shape.kvHeads * headDim, hiddenSize),
      tensor(`${attention}.v_proj`, weights, shape.kvHeads * headDim, hiddenSize),
      tensor(`${attention}.o_proj`, weights, hiddenSize, shape.heads * headDim),
      ...(shape.architecture === 'qwen3' ? qkNorms : []),
      tensor(`${block}.post_attention_layernorm`, ones, hiddenSize),
      tensor(`${mlp}.gate_proj`, weights, intermediateSize, hiddenSize),
      tensor(`${mlp}.up_proj`, weights, intermediateSize, hiddenSize),
      tensor(`${mlp}.down_proj`, weights, hiddenSize, intermediateSize),
    ];
  };
  return [
    tensor('model.embed_tokens', weights, vocabSize, hiddenSize),
    ...Array.from({ length: shape.layers }, (_, at) => layer(at)).flat(),
    tensor('model.norm', ones, hiddenSize),
    ...(shape.tiedHead ? [] : [tensor('lm_head', weights, vocabSize, hiddenSize)]),
  ];
}

function jsonFiles(shape: GuardShape): Record<string, object> {
  return {
    'config.json': config(shape),
    'tokenizer.json': tokenizerFile(shape.vocabSize),
    'tokenizer_config.json': { bos_token: '<|begin_of_text|>', chat_template: chatTemplate() },
    'guard.json': { family: 'llama-guard-3' },
  };
}

function config(shape: GuardShape): object {
  const { ropeScaling: rope } = shape;
  return {
    architectures: [shape.architecture === 'llama' ? 'LlamaForCausalLM' : 'Qwen3ForCausalLM'],
    model_type: shape.architecture,
    torch_dtype: 'bfloat16',
    num_hidden_layers: shape.layers,
    hidden_size: shape.hiddenSize,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    intermediate_size: shape.intermediateSize,
    vocab_size: shape.vocabSize,
    max_position_embeddings: kMaxPositions,
    rms_norm_eps: shape.rmsNormEps,
    rope_theta: shape.ropeTheta,
    rope_scaling: rope && {
      rope_type: 'llama3',
      factor: rope.factor,
      low_freq_factor: rope.lowFreqFactor,
      high_freq_factor: rope.highFreqFactor,
      original_max_position_embeddings: rope.originalMaxPositions,
    },
    tie_word_embeddings: shape.tiedHead,
    hidden_act: 'silu',
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: beginOfText(shape.vocabSize),
    eos_token_id: beginOfText(shape.vocabSize) + 1,
  };
}
