/**
 * A guard's directory in Hugging Face layout → its shape and the table of those tensors that its decoder is computed
 * from.
 */

import { join, resolve } from 'node:path';
import type { NativeModelSpec, NativeTensorTable } from '../native.js';
import { readModelConfig } from './config.js';
import { decoderTensors } from './families.js';
import { listed, quoted, refuse } from './refusal.js';
import { readWeights } from './shards.js';
import { statOf } from './source-file.js';
import { type PlacedTensor, tableOf } from './tensor-table.js';

/** A guard's weights, ready to be mapped. */
export interface Checkpoint extends NativeTensorTable {
  /** Absolute. */
  directory: string;
  /** `_name_or_path` of config.json; '' where it does not say. */
  savedAs: string;
  /** `model_type` of config.json: 'llama' or 'qwen3'. */
  modelType: string;
  spec: NativeModelSpec;
  /** Bytes that `tensors` take in their files. */
  bytes: number;
  /** Names of tensors that the files hold and the decoder does not need. */
  unused: string[];
}

/**
 * Reads headers only, never weights. Throws ERR_CHECKPOINT where something is missing, truncated or contradicts itself,
 * ERR_UNSUPPORTED for an architecture, a switch or an element type that this build does not know.
 */
export async function openCheckpoint(directory: string): Promise<Checkpoint> {
  const absolute = resolve(directory);
  await requireDirectory(absolute);
  const { family, spec, savedAs } = await readModelConfig(join(absolute, 'config.json'));
  const weights = await readWeights(absolute);
  const needed = decoderTensors(spec);
  const missing = [...needed.keys()].filter((name) => !weights.has(name));
  if (missing.length > 0) refuseMissing(absolute, missing, spec, needed.size);
  const used = [...needed].map(([name, shape]) => requireShape(weights.get(name) as PlacedTensor, shape));
  return {
    directory: absolute,
    savedAs,
    modelType: family.modelType,
    spec,
    ...tableOf(used),
    bytes: used.reduce((sum, tensor) => sum + tensor.bytes, 0),
    unused: [...weights.keys()].filter((name) => !needed.has(name)),
  };
}

async function requireDirectory(path: string): Promise<void> {
  if (!(await statOf(path)).isDirectory()) {
    refuse(path, 'is not a directory; a guard is a directory with config.json and model.safetensors');
  }
}

function refuseMissing(directory: string, missing: string[], spec: NativeModelSpec, needed: number): never {
  const untied = !spec.tiedHead && missing.includes('lm_head.weight');
  const hint = untied ? ' (lm_head.weight is needed because config.json does not set tie_word_embeddings)' : '';
  refuse(directory, `${missing.length} of ${needed} tensors are missing: ${listed(missing)}${hint}`);
}

function requireShape(tensor: PlacedTensor, shape: readonly number[]): PlacedTensor {
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
    refuse(
      tensor.path,
      `tensor ${quoted(tensor.name)} has the shape [${tensor.shape}]; config.json makes it [${shape}]`,
    );
  }
  return tensor;
}
