// Where generated weights are kept: SAFEROUTE_BENCH_CACHE, or the user's cache directory. Never inside the repository: they are gigabytes.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Unavailable } from '../unavailable.js';

/** Raised whenever what is generated changes, so that nothing older is taken for it. */
const kGeneration = '2';
const kSpareBytes = 2 * 2 ** 30; // left free on the disk after whatever is generated

export function cacheDirectory(): string {
  const chosen = process.env.SAFEROUTE_BENCH_CACHE;
  if (chosen) return chosen;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'saferoute-bench');
}

/**
 * The path of `name` in the cache; where it is missing, `generate` writes it under a temporary path first, so that a run that
 * is cut off leaves no half of a file behind under the real name. Throws Unavailable where the disk has no room for `bytes`.
 */
export function cached(name: string, bytes: number, generate: (path: string) => void): string {
  const path = join(cacheDirectory(), kGeneration, name);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  requireRoom(dirname(path), bytes);
  const partial = `${path}.${randomUUID()}.partial`;
  try {
    process.stderr.write(`generating ${name} (${(bytes / 2 ** 30).toFixed(2)} GiB)\n`);
    generate(partial);
    renameSync(partial, path);
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw cause;
  }
  return path;
}

function requireRoom(directory: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  if (free < bytes + kSpareBytes) {
    throw new Unavailable(
      `${directory} has ${(free / 2 ** 30).toFixed(1)} GiB free; ${((bytes + kSpareBytes) / 2 ** 30).toFixed(1)} GiB are needed`,
    );
  }
}
