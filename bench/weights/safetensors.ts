// Writes a safetensors file of generated tensors: eight bytes of header length, a JSON header, the tensors back to back.
import { closeSync, openSync } from 'node:fs';
import { RepeatedBlocks, writeAll } from './tensor-stream.js';

export interface GeneratedTensor {
  name: string;
  dtype: 'BF16' | 'F32';
  shape: number[];
  /** Repeated until the tensor is full, from where the last tensor of it ended; whole values of its dtype. */
  block: Uint8Array;
}

export function tensorBytes({ dtype, shape }: Pick<GeneratedTensor, 'dtype' | 'shape'>): number {
  return shape.reduce((product, length) => product * length, dtype === 'BF16' ? 2 : 4);
}

export function writeSafetensors(path: string, tensors: GeneratedTensor[]): void {
  let end = 0;
  const entries = tensors.map((tensor) => {
    const start = end;
    end += tensorBytes(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [start, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const fd = openSync(path, 'w');
  try {
    writeAll(fd, length);
    writeAll(fd, header);
    const blocks = new RepeatedBlocks(fd);
    for (const tensor of tensors) blocks.write(tensor.block, tensorBytes(tensor));
  } finally {
    closeSync(fd);
  }
}
