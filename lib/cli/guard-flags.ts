/** The flags that say which guards are loaded and how, the same for every command that loads them. */

import type { GuardOptions } from '../options.js';
import { kMaxThreads, kPrecisions } from '../validate-options.js';
import { UsageError } from './exit.js';
import { oneOf, sizeIn, wholeNumberIn } from './flag-values.js';

/** The parts of a pair, for `parseArgs`. */
export const kPairFlags = {
  pair: { type: 'string' },
  small: { type: 'string' },
  large: { type: 'string' },
  router: { type: 'string' },
} as const;

export const kPairFlagsUsage = `\
  --pair DIR              a folder with a saferoute.json
  --small DIR             the small guard: a checkpoint in Hugging Face layout
  --large DIR             the large guard
  --router FILE           the router, .safetensors or .pt`;

/** How each guard is loaded, for `parseArgs`. */
export const kGuardFlags = {
  overlong: { type: 'string' },
  threads: { type: 'string' },
  device: { type: 'string' },
  precision: { type: 'string' },
  kv: { type: 'string' },
  'cache-dir': { type: 'string' },
  'no-cache': { type: 'boolean', default: false },
} as const;

export const kGuardFlagsUsage = `\
  --overlong error|truncate   what to do with a prompt longer than a guard's context (default error)
  --threads N             threads of the inference pool (default: one per core)
  --device D              cpu (default), cuda (has run on no GPU yet), auto: a GPU where guards can run on it, else the CPU
  --precision P           auto (default), on the CPU int8 (default) or f32, on a GPU bf16 (default) or fp8
  --kv SIZE               keys and values of each guard, in bytes or as 512MiB, 1GiB (default 256MiB)
  --cache-dir DIR         where converted weights are kept (default: SAFEROUTE_CACHE_DIR, or the user's cache)
  --no-cache              keep them nowhere`;

export interface GuardFlagValues {
  overlong?: string;
  threads?: string;
  device?: string;
  precision?: string;
  kv?: string;
  'cache-dir'?: string;
  'no-cache': boolean;
}

/** Only what the command line names. */
export function guardOptions(values: GuardFlagValues): GuardOptions {
  const { overlong, threads, device, precision, kv, 'cache-dir': cacheDir, 'no-cache': noCache } = values;
  const options: GuardOptions = {};
  if (overlong !== undefined) options.overlong = oneOf('--overlong', overlong, ['error', 'truncate']);
  if (threads !== undefined) options.threads = wholeNumberIn('--threads', threads, 1, kMaxThreads);
  if (device !== undefined) options.device = oneOf('--device', device, ['auto', 'cpu', 'cuda']);
  if (precision !== undefined) options.precision = oneOf('--precision', precision, ['auto', ...kPrecisions]);
  if (kv !== undefined) options.memory = { kv: sizeIn('--kv', kv) };
  if (cacheDir !== undefined && noCache) throw new UsageError('--cache-dir and --no-cache contradict each other');
  if (cacheDir === '') throw new UsageError("--cache-dir must be a directory, got ''");
  if (cacheDir !== undefined || noCache) options.cacheDir = cacheDir ?? null;
  return options;
}
