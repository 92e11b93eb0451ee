// Writes a GGUF file (version 3): typed metadata, a table of tensors, then their bytes, each aligned.
import { closeSync, openSync } from 'node:fs';
import { type GgmlFormat, kGgmlFormats } from './ggml-blocks.js';
import { RepeatedBlocks, writeAll } from './tensor-stream.js';

export type GgufValue =
  | { type: 'u32'; value: number }
  | { type: 'f32'; value: number }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: string[] }
  | { type: 'f32s'; value: Float32Array }
  | { type: 'i32s'; value: Int32Array };

export interface GgufTensor {
  name: string;
  format: GgmlFormat;
  /** The fastest axis first, the other way round than in a checkpoint: `(inputs, outputs)`. */
  shape: number[];
  /** Repeated until the tensor is full, from where the last tensor of it ended; whole blocks of its format. */
  block: Uint8Array;
}

const kVersion = 3;
const kAlignment = 32; // bytes
const kTypeIds = { u32: 4, i32: 5, f32: 6, string: 8, array: 9 } as const;

export function ggufTensorBytes({ format, shape }: Pick<GgufTensor, 'format' | 'shape'>): number {
  const { values, bytes } = kGgmlFormats[format];
  if ((shape[0] as number) % values !== 0)
    throw new RangeError(`rows of ${shape[0]} values are no whole blocks of ${values}`);
  return shape.reduce((product, length) => product * length, bytes / values);
}

export function writeGguf(path: string, metadata: Record<string, GgufValue>, tensors: GgufTensor[]): void {
  const fd = openSync(path, 'w');
  try {
    const written = writeAll(fd, header(metadata, tensors));
    writeAll(fd, new Uint8Array(padding(written)));
    const blocks = new RepeatedBlocks(fd);
    for (const tensor of tensors) {
      const bytes = ggufTensorBytes(tensor);
      blocks.write(tensor.block, bytes);
      writeAll(fd, new Uint8Array(padding(bytes)));
    }
  } finally {
    closeSync(fd);
  }
}

function header(metadata: Record<string, GgufValue>, tensors: GgufTensor[]): Buffer {
  const pairs = Object.entries(metadata);
  let offset = 0;
  const table = tensors.map((tensor) => {
    const dims = Buffer.concat(tensor.shape.map(u64));
    const entry = [text(tensor.name), u32(tensor.shape.length), dims, u32(kGgmlFormats[tensor.format].id), u64(offset)];
    const bytes = ggufTensorBytes(tensor);
    offset += bytes + padding(bytes);
    return Buffer.concat(entry);
  });
  const fields = pairs.map(([key, value]) => Buffer.concat([text(key), encodeValue(value)]));
  return Buffer.concat([
    Buffer.from('GGUF'),
    u32(kVersion),
    u64(tensors.length),
    u64(pairs.length),
    ...fields,
    ...table,
  ]);
}

function encodeValue(field: GgufValue): Buffer {
  switch (field.type) {
    case 'u32':
      return Buffer.concat([u32(kTypeIds.u32), u32(field.value)]);
    case 'f32':
      return Buffer.concat([u32(kTypeIds.f32), Buffer.from(new Float32Array([field.value]).buffer)]);
    case 'string':
      return Buffer.concat([u32(kTypeIds.string), text(field.value)]);
    case 'strings':
      return Buffer.concat([arrayHead(kTypeIds.string, field.value.length), ...field.value.map(text)]);
    case 'f32s':
      return Buffer.concat([arrayHead(kTypeIds.f32, field.value.length), bytesOf(field.value)]);
    case 'i32s':
      return Buffer.concat([arrayHead(kTypeIds.i32, field.value.length), bytesOf(field.value)]);
  }
}

function arrayHead(type: number, length: number): Buffer {
  return Buffer.concat([u32(kTypeIds.array), u32(type), u64(length)]);
}

function bytesOf(values: Float32Array | Int32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function padding(bytes: number): number {
  return (kAlignment - (bytes % kAlignment)) % kAlignment;
}
