// Writes tensors of any size one after another, each filled by repeating a block of bytes.
import { writeSync } from 'node:fs';

/**
 * Where each block was left, the next tensor of it goes on: layers that all began with the same bytes would be equal, and a library that
 * finds equal weights keeps one copy of all: less memory than real weights take, and faster to read.
 */
export class RepeatedBlocks {
  readonly #fd: number;
  readonly #places = new Map<Uint8Array, number>();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Writes `bytes` bytes of `block`, repeated. */
  write(block: Uint8Array, bytes: number): void {
    if (block.length === 0) throw new RangeError('a block of 0 bytes cannot be repeated');
    let place = this.#places.get(block) ?? 0;
    for (let left = bytes; left > 0; ) {
      const written = writeAll(this.#fd, block.subarray(place, place + left));
      place = (place + written) % block.length;
      left -= written;
    }
    this.#places.set(block, place);
  }
}

/** `writeSync` may write less than it is given. Returns the length of `bytes`. */
export function writeAll(fd: number, bytes: Uint8Array): number {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  return bytes.length;
}
