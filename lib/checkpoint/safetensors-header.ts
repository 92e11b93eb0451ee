/** What stands in a safetensors file before its first tensor. */

import { SafeRouteError } from '../errors.js';
import type { FileTensor } from './file-tensor.js';

/** Bytes of the header's length, an unsigned little-endian integer. */
export const kLengthBytes = 8;
/**
 * Bytes. The format allows 100 MB, which would hold the event loop for many seconds; an 8B guard's header has 0.03 MB.
 */
export const kHeaderLimit = 8 * 1024 * 1024;
const kHeaderAlignment = 8; // bytes

/**
 * The length of the JSON text, the text, and spaces up to where the first tensor may begin. `offset` of a tensor counts from the end of
 * the header; readers in C want each aligned to its elements, which it is where the largest elements come first. Throws ERR_DATA for
 * more text than the reader takes.
 */
export function encodeSafetensorsHeader(
  tensors: readonly FileTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries = tensors.map(({ name, dtype, shape, offset, bytes }) => [
    name,
    { dtype, shape, data_offsets: [offset, offset + bytes] },
  ]);
  const text = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const padded = Math.ceil(text.length / kHeaderAlignment) * kHeaderAlignment;
  if (padded > kHeaderLimit) {
    throw new SafeRouteError('ERR_DATA', `the header would take ${padded} bytes; the limit is ${kHeaderLimit}`);
  }
  const header = Buffer.alloc(kLengthBytes + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded));
  text.copy(header, kLengthBytes);
  return header;
}
