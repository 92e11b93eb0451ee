// Writes tensors of any size one after another, each filled by repeating a block of bytes.
import { writeSync } from 'node:fs';

const kChunkBytes = 16 << 20;

/** Writes `bytes` bytes of `block`, repeated; the last repetition may be cut short. */
export function writeRepeated(fd: number, block: Uint8Array, bytes: number): void {
  if (block.length === 0) throw new RangeError('a block of 0 bytes cannot be repeated');
  const times = Math.max(1, Math.min(Math.floor(kChunkBytes / block.length), Math.ceil(bytes / block.length)));
  const chunk = new Uint8Array(times * block.length);
  for (let index = 0; index < times; index++) chunk.set(block, index * block.length);
  for (let left = bytes; left > 0; ) left -= writeAll(fd, chunk.subarray(0, Math.min(left, chunk.length)));
}

/** `writeSync` may write less than it is given. Returns the length of `bytes`. */
export function writeAll(fd: number, bytes: Uint8Array): number {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  return bytes.length;
}
