/**
 * The header of a safetensors file: where each tensor's bytes lie. Only the header is read, and nothing that it claims
 * is taken on trust.
 */

import { elementBytes, elementCount, type FileTensor, type TensorFile } from './file-tensor.js';
import { quoted, refuse, shown } from './refusal.js';
import { kHeaderLimit, kLengthBytes } from './safetensors-header.js';
import { type SourceFile, withSourceFile } from './source-file.js';
import { isJsonObject, parseJson } from './strict-json.js';

const kOpenBrace = 0x7b;
const kRankLimit = 32;
const kTensorKeys = ['dtype', 'shape', 'data_offsets'];

export interface SafetensorsFile extends TensorFile {
  /** The file's `__metadata__`; empty where it has none. */
  metadata: ReadonlyMap<string, string>;
}

/** Throws ERR_CHECKPOINT naming the file, the tensor, the value and the limit. */
export function readSafetensors(path: string): Promise<SafetensorsFile> {
  return withSourceFile(path, async (file) => {
    const headerBytes = await readHeaderLength(file);
    const bytes = await file.read(kLengthBytes, headerBytes, 'the header');
    if (bytes[0] !== kOpenBrace) refuse(path, "the header does not begin with '{': this is no safetensors file");
    const header = parseJson(bytes, path);
    if (!isJsonObject(header)) refuse(path, 'the header is not a JSON object');
    const dataStart = kLengthBytes + headerBytes;
    const tensors = Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(([name, entry]) => readEntry(file, name, entry, dataStart));
    requireGapless(file, tensors, dataStart);
    const metadata = readMetadata(file, header.__metadata__);
    return { path, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata };
  });
}

function readMetadata(file: SourceFile, value: unknown): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (!isJsonObject(value)) return refuse(file.path, `__metadata__ is ${shown(value)}, not a JSON object`);
  const entries = Object.entries(value);
  const strange = entries.find(([, text]) => typeof text !== 'string');
  if (strange !== undefined) {
    refuse(file.path, `__metadata__: ${quoted(strange[0])} is ${shown(strange[1])}, not a string`);
  }
  return new Map(entries as [string, string][]);
}

async function readHeaderLength(file: SourceFile): Promise<number> {
  if (file.size < kLengthBytes) refuse(file.path, `is ${file.size} bytes long, too short for a safetensors header`);
  const claimed = (await file.read(0, kLengthBytes, 'the header length')).readBigUInt64LE();
  if (claimed > kHeaderLimit) refuseLength(file.path, claimed, `the limit is ${kHeaderLimit}`);
  const available = file.size - kLengthBytes;
  if (claimed > available) refuseLength(file.path, claimed, `but only ${available} follow`);
  return Number(claimed);
}

/** What is another kind of file begins with other bytes, and so with an absurd length. */
function refuseLength(path: string, claimed: bigint, problem: string): never {
  refuse(
    path,
    `is no safetensors file, or a damaged one: its first bytes claim a header of ${claimed} bytes, ${problem}`,
  );
}

function readEntry(file: SourceFile, name: string, entry: unknown, dataStart: number): FileTensor {
  const fail = (problem: string): never => refuse(file.path, `tensor ${quoted(name)}: ${problem}`);
  if (!isJsonObject(entry)) return fail('its entry is not a JSON object');
  const strange = Object.keys(entry).find((key) => !kTensorKeys.includes(key));
  if (strange !== undefined) fail(`unknown key ${quoted(strange)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') return fail('dtype is missing or not a string');
  const perElement = elementBytes(dtype) ?? fail(`unknown dtype ${quoted(dtype)}`);
  if (!isSizes(shape)) return fail(`shape ${shown(shape)} is not a list of whole numbers from 0 to 2^53-1`);
  if (shape.length > kRankLimit) fail(`has ${shape.length} dimensions; the limit is ${kRankLimit}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    return fail(`data_offsets ${shown(offsets)} are not two whole numbers from 0 to 2^53-1`);
  }
  const [begin, end] = offsets as [number, number];
  const dataBytes = file.size - dataStart;
  if (begin > end) fail(`data_offsets begin at ${begin}, after their end at ${end}`);
  if (end > dataBytes) fail(`data_offsets end at ${end}, but the file holds ${dataBytes} bytes of data`);
  const elements = elementCount(shape) ?? fail(`shape [${shape}] has more elements than can be counted`);
  if (end - begin !== elements * perElement) {
    fail(`data_offsets span ${end - begin} bytes, but ${dtype} of shape [${shape}] takes ${elements * perElement}`);
  }
  return { name, dtype, shape, offset: dataStart + begin, bytes: end - begin };
}

/** The format allows neither overlaps nor holes: the tensors, in order, fill the data to the last byte. */
function requireGapless(file: SourceFile, tensors: FileTensor[], dataStart: number): void {
  const inOrder = [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  let before = 'the header';
  for (const tensor of inOrder) {
    const name = `tensor ${quoted(tensor.name)}`;
    const [begin, expected] = [tensor.offset - dataStart, end - dataStart];
    if (begin < expected) refuse(file.path, `${name} begins at ${begin}, inside ${before}, which ends at ${expected}`);
    if (begin > expected) refuse(file.path, `a hole of ${begin - expected} bytes lies between ${before} and ${name}`);
    end = tensor.offset + tensor.bytes;
    before = name;
  }
  if (end !== file.size) refuse(file.path, `${file.size - end} bytes after ${before} belong to no tensor`);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
