/** What a guard's directory is, for `saferoute inspect`: everything that can be told of it, also where it can't be loaded. */

import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { openCheckpoint } from '../checkpoint/index.js';
import { readWeights } from '../checkpoint/shards.js';
import { isRegularFile, readJsonFile } from '../checkpoint/source-file.js';
import type { PlacedTensor } from '../checkpoint/tensor-table.js';
import { SafeRouteError } from '../errors.js';
import type { VerdictToken } from '../guard-spec.js';
import { type OpenedGuard, openGuardFiles } from '../load.js';
import { loadAddon, type NativeModelSpec } from '../native.js';
import { parseGuardOptions } from '../validate-options.js';
import { type Facts, parameters } from './facts.js';
import { bytes, grouped } from './terminal.js';

const kConfigBytes = 4 * 1024 * 1024;

export interface Inspection extends Facts {
  /** Why this can't be loaded, empty where it can. */
  problems: string[];
}

export async function inspectGuard(directory: string): Promise<Inspection> {
  const path = resolve(directory);
  const problems: string[] = [];
  const attempt = async <T>(read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof SafeRouteError)) throw error;
      if (!problems.includes(error.message)) problems.push(error.message);
      return null;
    }
  };
  const config = await attempt(() => readJsonFile(join(path, 'config.json'), kConfigBytes));
  const weights = await attempt(() => readWeights(path));
  const checkpoint = await attempt(() => openCheckpoint(path));
  const opened = checkpoint && (await attempt(() => openGuardFiles({ dir: path, guard: null }, { guard: null })));
  return {
    headline: `guard  ${path}`,
    lines: [
      ['architecture', architecture(config)],
      ...(checkpoint === null ? [] : shape(checkpoint.spec)),
      ['weights', weights && describeWeights([...weights.values()])],
      ['unused', checkpoint?.unused.length ? `${checkpoint.unused.length} tensors, ${checkpoint.unused[0]} …` : null],
      ['tokenizer', await describeTokenizer(path)],
      ['guard spec', opened && describeSpec(opened, await isRegularFile(join(path, 'guard.json')))],
      ...(checkpoint === null ? [] : describeMemory(checkpoint.spec)),
    ],
    problems,
  };
}

function architecture(config: unknown): string | null {
  if (typeof config !== 'object' || config === null) return null;
  const { architectures, model_type } = config as Record<string, unknown>;
  const name = Array.isArray(architectures) ? architectures[0] : null;
  return `${typeof name === 'string' ? name : 'not named'} (model_type ${String(model_type)})`;
}

function shape(spec: NativeModelSpec): [string, string][] {
  const { ropeScaling: scaling } = spec;
  const rope = scaling
    ? `scaled ×${scaling.factor} as in Llama 3 (original context ${grouped(scaling.originalMaxPositions)})`
    : 'not scaled';
  return [
    [
      'shape',
      `${spec.layers} layers, hidden ${spec.hiddenSize}, ${spec.heads} heads and ${spec.kvHeads} of keys and values, ` +
        `${spec.headDim} wide, intermediate ${spec.intermediateSize}`,
    ],
    ['tokens', `vocabulary ${grouped(spec.vocabSize)}, context ${grouped(spec.maxPositions)}`],
    ['rope', `theta ${grouped(spec.ropeTheta)}, ${rope}`],
    [
      'switches',
      `lm_head ${spec.tiedHead ? 'tied to the embedding' : 'of its own'}, ${spec.qkNorm ? 'qk-norm' : 'no qk-norm'}`,
    ],
  ];
}

function describeWeights(tensors: PlacedTensor[]): string {
  const sum = (of: (tensor: PlacedTensor) => number) => tensors.reduce((total, tensor) => total + of(tensor), 0);
  const count = sum(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const types = [...new Set(tensors.map(({ dtype }) => dtype))].join(', ');
  const files = [...new Set(tensors.map(({ path }) => basename(path)))];
  const where = files.length === 1 ? files[0] : `${files.length} files`;
  return `${parameters(count)} parameters in ${tensors.length} tensors, ${types}, ${bytes(sum((tensor) => tensor.bytes))} in ${where}`;
}

async function describeTokenizer(path: string): Promise<string> {
  const found = await stat(join(path, 'tokenizer.json')).catch(() => null);
  return found === null ? 'no tokenizer.json' : `tokenizer.json, ${bytes(found.size)}`;
}

/** "built in for llama-guard-3: safe | unsafe" */
function describeSpec({ spec }: OpenedGuard, filed: boolean): string {
  const source = [filed ? 'guard.json' : null, spec.family && `built in for ${spec.family}`].filter(Boolean).join(', ');
  const words = (tokens: VerdictToken[]) => tokens.map(word).join(', ');
  return `${source}; safe: ${words(spec.safe)}; unsafe: ${words(spec.unsafe)}`;
}

function word(token: VerdictToken): string {
  if ('id' in token) return `token ${token.id}`;
  return JSON.stringify('text' in token ? token.text : token.firstOf);
}

/** What a load checks before it begins, with the default options, in each precision. */
function describeMemory(spec: NativeModelSpec): [string, string][] {
  const settings = parseGuardOptions(undefined);
  try {
    return (['int8', 'f32'] as const).map((precision) => {
      const { weightBytes, kvBytes, peakBytes } = loadAddon().estimateMemory(
        spec,
        precision,
        settings.batchTokens,
        settings.kvBytes,
      );
      const parts = `${bytes(weightBytes)} of weights, ${bytes(kvBytes)} for keys and values`;
      const peak = `up to ${bytes(peakBytes)} while loading or with ${grouped(settings.batchTokens)} tokens in a batch`;
      return [`memory, ${precision}`, `${parts}; ${peak}`];
    });
  } catch (error) {
    // A checkpoint can be looked at on a platform that has no binary.
    if (error instanceof SafeRouteError && error.code === 'ERR_UNSUPPORTED') return [];
    throw error;
  }
}
