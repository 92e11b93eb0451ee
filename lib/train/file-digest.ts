/** What tells the contents of one file from another's. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

const kPieceBytes = 1 << 20; // that are read at a time

/** SHA-256 of the whole file, in hex. Rejects with the system's own error where it cannot be read. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: kPieceBytes }), hash);
  return hash.digest('hex');
}
