/** Files that nobody meets under their name before they are whole. */

import { open, rename, rm } from 'node:fs/promises';

export type Write = (bytes: Uint8Array) => Promise<void>;

/**
 * `fill` writes what is to be at `path`, from the first byte to the last; it stands there when that is on the disk, over a file that was
 * there. Until then it lies beside it with `.part` after its name, and is gone if `fill` fails; a process that is killed leaves it behind
 * to the next that writes the same file.
 */
export async function writeAtomically(path: string, fill: (write: Write) => Promise<void>): Promise<void> {
  const part = `${path}.part`;
  const file = await open(part, 'w');
  try {
    try {
      await fill((bytes) => file.writeFile(bytes));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
