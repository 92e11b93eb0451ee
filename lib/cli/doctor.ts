/** `saferoute doctor`: what this machine and this installation offer, and what is wrong with it where something is. */

import { readdir, stat } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheDirectory } from '../checkpoint/cache-directory.js';
import { findAddon, loadAddon, platform } from '../native.js';
import type { NativeCudaDevice } from '../native-cuda.js';
import { codeOf, kExit } from './exit.js';
import { renderFacts } from './facts.js';
import { packageVersion } from './package-version.js';
import { bytes, painter } from './terminal.js';

const kUsage = `Usage: saferoute doctor

Says which binary, inference library, CPU features, precisions, weight cache, memory and GPU were found. Exit code: 0 if guards can run here, 1 if not.
`;

export async function doctor(argv: string[]): Promise<number> {
  const { values } = parseArgs({ args: argv, options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(kUsage);
    return kExit.ok;
  }
  const problems: string[] = [];
  const attempt = (read: () => string): string | null => {
    try {
      return read();
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      if (!problems.includes((error as Error).message)) problems.push((error as Error).message);
      return null;
    }
  };
  const binary = attempt(findAddon);
  const runtime = attempt(() => loadAddon().runtimeVersion());
  const features = attempt(() => loadAddon().cpuFeatures().join(', ') || 'none that the kernels use');
  const weights = attempt(() => `int8 with weights of ${loadAddon().int8Weights().bits} bits (the default), f32`);
  const available = attempt(() => bytes(loadAddon().availableMemory()));
  const cuda = runtime === null ? null : await loadAddon().cudaDevice();
  const paint = painter(process.stdout);
  const facts: [string, string | null][] = [
    ['node', `${process.version}, Node-API ${process.versions.napi}, ${platform()}`],
    ['binary', binary && `${binary} (${/[\\/]prebuilds[\\/]/.test(binary) ? 'prebuilt' : 'built here'})`],
    ['ONNX Runtime', runtime],
    ['CPU', `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} threads`],
    ['features', features],
    ['precision', weights],
    ['weight cache', await describeCache()],
    ['memory', `${bytes(totalmem())} in the machine${available === null ? '' : `, ${available} for this process`}`],
    ['devices', runtime && (cuda?.facts ? 'cpu, cuda' : 'cpu')],
    ['cuda', cuda && describeCuda(cuda)],
    ['works', problems.length === 0 ? paint('green', 'yes') : paint('red', 'no')],
    ...problems.map((problem): [string, string] => ['problem', problem]),
  ];
  process.stdout.write(renderFacts({ headline: `saferoute ${packageVersion()}`, lines: facts }, paint));
  return problems.length === 0 ? kExit.ok : kExit.fatal;
}

/** The GPU and what serves it, or why no guard can run there. */
function describeCuda({ facts, problem }: NativeCudaDevice): string {
  if (facts === null) return `not used: ${problem}`;
  const { name, computeMajor, computeMinor, multiprocessors } = facts;
  const device = `${name}, compute capability ${computeMajor}.${computeMinor}, ${multiprocessors} multiprocessors`;
  const memory = `${bytes(facts.memoryBytes)}, ${bytes(facts.freeBytes)} of it free`;
  const software = `CUDA ${facts.runtime} (the driver serves ${facts.driver}), cuBLASLt ${facts.cublasLt}`;
  return `${device}; ${memory}; ${software}; ${facts.fp8 ? 'bf16 (the default), fp8' : 'bf16'}`;
}

/** Where converted weights are kept, and what lies there. */
async function describeCache(): Promise<string> {
  try {
    const { path, named } = cacheDirectory(undefined);
    const where = `${path} (${named ? 'SAFEROUTE_CACHE_DIR' : 'default'})`;
    const names = await readdir(path).catch(() => null);
    if (names === null) return `${where}, made by the first load that needs it`;
    const sizes = await Promise.all(
      names
        .filter((name) => name.endsWith('.int8.safetensors'))
        .map((name) => stat(join(path, name)).catch(() => null)),
    );
    const found = sizes.filter((size) => size !== null);
    return `${where}, ${found.length === 1 ? '1 file' : `${found.length} files`}, ${bytes(found.reduce((sum, { size }) => sum + size, 0))}`;
  } catch (error) {
    return `none: ${(error as Error).message}`;
  }
}
