/** What a path that `saferoute inspect` was given stands for: a pair, a guard, or one file of another kind. */

import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SafeRouteError } from '../errors.js';

export type InspectTarget = { kind: 'pair' | 'guard' | 'file'; path: string };

const kPairFile = 'saferoute.json';
/** A file out of a guard's folder stands for the guard. */
const kGuardFiles = ['config.json', 'guard.json', 'model.safetensors', 'model.safetensors.index.json'];

/** A guard's path is its folder. Rejects with ERR_CHECKPOINT for a folder that is neither. */
export async function inspectTarget(path: string): Promise<InspectTarget> {
  if (!(await stat(path)).isDirectory()) {
    const name = basename(path);
    if (kGuardFiles.includes(name)) return { kind: 'guard', path: dirname(path) };
    return { kind: name === kPairFile ? 'pair' : 'file', path };
  }
  if (await exists(join(path, kPairFile))) return { kind: 'pair', path };
  if (await exists(join(path, 'config.json'))) return { kind: 'guard', path };
  throw new SafeRouteError('ERR_CHECKPOINT', `${path}: has neither ${kPairFile} (a pair) nor config.json (a guard)`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
