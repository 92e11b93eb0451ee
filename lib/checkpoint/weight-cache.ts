/**
 * Plans the file that keeps a guard's int8 weights for the next load: where it lies, what it is called, and every byte of its header.
 * It is a safetensors file; native code fills it and holds it against this plan.
 */

import { createHash } from 'node:crypto';
import { mkdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { warnOfCache } from '../diagnostics.js';
import type { NativeModelSpec, NativeTensor, NativeWeightCache } from '../native.js';
import { cacheDirectory } from './cache-directory.js';
import type { Checkpoint } from './checkpoint.js';
import { elementBytes, elementCount } from './file-tensor.js';
import { refuse } from './refusal.js';
import { encodeSafetensorsHeader } from './safetensors-header.js';

/** What decides the numbers in the file, apart from the checkpoint: `int8Weights()` of the addon. */
export interface Int8Recipe {
  /** Of a weight. */
  bits: 7 | 8;
  /** Version. */
  recipe: number;
}

/** Smaller weights are converted in well under a second, so that a file that nobody asked for would be litter. */
const kWorthKeeping = 64 * 1024 * 1024; // bytes
const kKeyDigits = 16; // of the key in the file's name; the header has them all
const kNameLimit = 80; // characters of the directory's name in the file's name

/**
 * The file for `checkpoint` converted by `weights`. Null where `directory` is null, or undefined and the weights are too small to be
 * worth a file, and, after a process warning with the code SAFEROUTE_CACHE, where no directory can be made. Throws ERR_CHECKPOINT where
 * a file of the checkpoint has gone.
 */
export async function planWeightCache(
  checkpoint: Checkpoint,
  weights: Int8Recipe,
  directory: string | null | undefined,
): Promise<NativeWeightCache | null> {
  if (directory === null) return null;
  const tensors = int8Tensors(checkpoint.spec);
  const folder = await makeDirectory(checkpoint.directory, directory, sum(tensors));
  if (folder === null) return null;
  const key = await keyOf(checkpoint, weights);
  const header = encodeSafetensorsHeader(byElementSize(tensors), {
    format: 'saferoute-int8',
    source: checkpoint.directory,
    bits: String(weights.bits),
    recipe: String(weights.recipe),
    key,
  });
  return {
    path: join(folder, `${readableName(checkpoint.directory)}-${key.slice(0, kKeyDigits)}.int8.safetensors`),
    header,
    tensors: tensors.map((tensor) => ({ ...tensor, offset: header.length + tensor.offset })),
    fileBytes: header.length + sum(tensors),
  };
}

async function makeDirectory(guard: string, given: string | undefined, bytes: number): Promise<string | null> {
  try {
    const { path, named } = cacheDirectory(given);
    if (!named && bytes < kWorthKeeping) return null;
    // The user's own cache is nobody else's business; a directory that was named may be meant for several users.
    await mkdir(path, { recursive: true, mode: named ? 0o777 : 0o700 });
    return path;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    warnOfCache(guard, `converted weights are not kept for the next load: ${why}`);
    return null;
  }
}

/** Changes with everything that the converted weights are made from: the files, what is read from them, and how it is converted. */
async function keyOf({ files, tensors, spec }: Checkpoint, { bits, recipe }: Int8Recipe): Promise<string> {
  const identities = await Promise.all(files.map(identityOf));
  return createHash('sha256').update(JSON.stringify({ identities, tensors, spec, bits, recipe })).digest('hex');
}

/** Of a file's content, without reading it. */
async function identityOf(file: string): Promise<string[]> {
  try {
    const path = await realpath(file);
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    return [path, String(size), String(mtimeNs), String(ino)];
  } catch (error) {
    return refuse(file, `cannot be examined (${(error as NodeJS.ErrnoException).code ?? String(error)})`, error);
  }
}

/** The directory's name as it may stand in any file system. */
function readableName(directory: string): string {
  const name = basename(directory)
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/^[._-]+/, '');
  return name.slice(0, kNameLimit) || 'guard';
}

/**
 * In the order that native code counts them in, with offsets from the end of the header. In the file they lie by the size of their
 * elements, the largest first, so that each is aligned to its own.
 */
function int8Tensors(spec: NativeModelSpec): NativeTensor[] {
  const { hiddenSize: hidden, intermediateSize: intermediate } = spec;
  const queries = spec.heads * spec.headDim;
  const matrices: [name: string, inputs: number, outputs: number][] = [
    ['qkv', hidden, queries + 2 * spec.kvHeads * spec.headDim],
    ['output', queries, hidden],
    ['gate_up', hidden, 2 * intermediate],
    ['down', intermediate, hidden],
  ];
  const tensors: NativeTensor[] = [];
  for (let layer = 0; layer < spec.layers; layer++) {
    for (const [name, inputs, outputs] of matrices) {
      tensors.push(tensorOf(`layers.${layer}.${name}.values`, 'I8', [inputs, outputs]));
      tensors.push(tensorOf(`layers.${layer}.${name}.scales`, 'F32', [outputs]));
    }
  }
  tensors.push(tensorOf('checksums', 'I64', [tensors.length]));
  let offset = 0;
  for (const tensor of byElementSize(tensors)) {
    tensor.offset = offset;
    offset += tensor.bytes;
  }
  return tensors;
}

function tensorOf(name: string, dtype: NativeTensor['dtype'], shape: number[]): NativeTensor {
  const bytes = (elementCount(shape) as number) * (elementBytes(dtype) as number);
  return { name, dtype, shape, file: 0, offset: 0, bytes };
}

function byElementSize(tensors: NativeTensor[]): NativeTensor[] {
  const size = ({ dtype }: NativeTensor) => elementBytes(dtype) as number;
  return [...tensors].sort((a, b) => size(b) - size(a));
}

function sum(tensors: NativeTensor[]): number {
  return tensors.reduce((bytes, tensor) => bytes + tensor.bytes, 0);
}
