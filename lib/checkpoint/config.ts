/** config.json of a Hugging Face checkpoint → the shape of the decoder, or a refusal that names the field. */

import type { NativeModelSpec } from '../native.js';
import { ConfigFields, type Range } from './config-fields.js';
import { type Family, kFamilies } from './families.js';
import { refuse } from './refusal.js';
import { readRope } from './rope.js';
import { readJsonFile } from './source-file.js';
import { isJsonObject } from './strict-json.js';

export interface ModelConfig {
  family: Family;
  spec: NativeModelSpec;
  /** `_name_or_path`, what the model was called where it was saved; '' where the file does not say. */
  savedAs: string;
}

const kConfigLimit = 4 * 1024 * 1024; // bytes

/** Wide enough for any guard, narrow enough that no product of two leaves the safe integers. */
const kLimits = {
  layers: { min: 1, max: 1024 },
  width: { min: 1, max: 1 << 20 },
  heads: { min: 1, max: 4096 },
  headDim: { min: 2, max: 4096 },
  vocabulary: { min: 1, max: 1 << 24 },
  positions: { min: 1, max: 2 ** 31 - 1 },
  eps: { min: 0, max: 0.1 },
} satisfies Record<string, Range>;

/** Throws ERR_CHECKPOINT for values that make no sense, ERR_UNSUPPORTED for those that this build does not know. */
export async function readModelConfig(path: string): Promise<ModelConfig> {
  const parsed = await readJsonFile(path, kConfigLimit);
  if (!isJsonObject(parsed)) return refuse(path, 'is not a JSON object');
  const fields = new ConfigFields(path, parsed);
  const family = readFamily(fields);
  refuseSwitches(fields);
  const { _name_or_path: savedAs } = parsed;
  return { family, spec: readSpec(fields, family), savedAs: typeof savedAs === 'string' ? savedAs : '' };
}

function readFamily(fields: ConfigFields): Family {
  const modelTypes = kFamilies.map((family) => family.modelType).join(', ');
  const modelType = fields.text('model_type');
  if (modelType === null) return refuse(fields.path, `model_type is missing; supported: ${modelTypes}`);
  const family = kFamilies.find((candidate) => candidate.modelType === modelType);
  if (family === undefined) return fields.unsupported('model_type', modelTypes);
  const architectures = fields.texts('architectures');
  const asked = architectures?.[0] ?? family.architecture;
  if (asked !== family.architecture) fields.unsupported('architectures', family.architecture);
  return family;
}

/** Switches that change the decoder in a way that no supported family uses. */
function refuseSwitches(fields: ConfigFields): void {
  for (const name of ['attention_bias', 'mlp_bias', 'use_sliding_window']) {
    if (fields.flag(name)) fields.unsupported(name, 'false');
  }
  const activation = fields.text('hidden_act') ?? 'silu';
  if (activation !== 'silu') fields.unsupported('hidden_act', 'silu');
  const layerTypes = fields.texts('layer_types') ?? [];
  if (layerTypes.some((type) => type !== 'full_attention')) fields.unsupported('layer_types', 'full_attention alone');
  if (fields.has('quantization_config')) {
    fields.unsupported('quantization_config', 'unquantised weights in F32, F16 or BF16');
  }
}

function readSpec(fields: ConfigFields, family: Family): NativeModelSpec {
  const { defaults } = family;
  const hiddenSize = fields.integer('hidden_size', kLimits.width);
  const heads = fields.integer('num_attention_heads', kLimits.heads);
  const kvHeads = readKvHeads(fields, heads, defaults.kvHeads);
  return {
    layers: fields.integer('num_hidden_layers', kLimits.layers),
    hiddenSize,
    heads,
    kvHeads,
    headDim: readHeadDim(fields, hiddenSize, heads, defaults.headDim),
    intermediateSize: fields.integer('intermediate_size', kLimits.width),
    vocabSize: fields.integer('vocab_size', kLimits.vocabulary),
    maxPositions: fields.integer('max_position_embeddings', kLimits.positions, defaults.maxPositions),
    rmsNormEps: fields.number('rms_norm_eps', kLimits.eps, defaults.rmsNormEps),
    ...readRope(fields, defaults.ropeTheta),
    qkNorm: family.qkNorm,
    tiedHead: fields.flag('tie_word_embeddings'),
    activation: 'silu',
  };
}

function readKvHeads(fields: ConfigFields, heads: number, fallback: number | null): number {
  const kvHeads = fields.integer('num_key_value_heads', kLimits.heads, fallback ?? heads);
  if (heads % kvHeads !== 0) {
    refuse(fields.path, `num_attention_heads ${heads} is not a multiple of num_key_value_heads ${kvHeads}`);
  }
  return kvHeads;
}

function readHeadDim(fields: ConfigFields, hiddenSize: number, heads: number, fallback: number | null): number {
  if (!fields.has('head_dim') && fallback === null && hiddenSize % heads !== 0) {
    refuse(
      fields.path,
      `hidden_size ${hiddenSize} is not a multiple of num_attention_heads ${heads}, and head_dim is missing`,
    );
  }
  const headDim = fields.integer('head_dim', kLimits.headDim, fallback ?? hiddenSize / heads);
  if (headDim % 2 !== 0) refuse(fields.path, `head_dim is ${headDim}; rotary positions need an even one`);
  return headDim;
}
