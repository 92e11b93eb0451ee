/** Where files are kept that can be made again: the directory that was named, or the one that the system's users expect. */

import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface CacheDirectory {
  /** Absolute. */
  path: string;
  /** Named by the caller or by SAFEROUTE_CACHE_DIR, not by the system's conventions. */
  named: boolean;
}

/**
 * `named`, else SAFEROUTE_CACHE_DIR, else `saferoute` in the user's cache directory: XDG_CACHE_HOME (a relative one is ignored, as
 * its specification asks), ~/Library/Caches on macOS, ~/.cache elsewhere. Throws where the system knows no home directory.
 */
export function cacheDirectory(
  named: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): CacheDirectory {
  const given = named ?? environment.SAFEROUTE_CACHE_DIR;
  if (given !== undefined && given !== '') return { path: resolve(given), named: true };
  return { path: join(userCache(environment, platform), 'saferoute'), named: false };
}

function userCache({ XDG_CACHE_HOME }: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (XDG_CACHE_HOME !== undefined && isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME;
  return join(homedir(), '.cache');
}
