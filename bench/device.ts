// The device of a run, and the GPU that a run on one takes place on.
import { spawnSync } from 'node:child_process';
import { loadAddon, type NativeAddon } from '../lib/native.js';
import { Unavailable } from './unavailable.js';

export const kDevices = ['cpu', 'cuda'] as const;
export type Device = (typeof kDevices)[number];

export interface Gpu {
  name: string;
  /** "9.0" */
  computeCapability: string;
  memoryGiB: number;
  /** Version of the driver; null where nvidia-smi does not tell. */
  driver: string | null;
  /** The newest CUDA that the driver serves, the one that the addon is built with, and the cuBLASLt that was found. */
  driverCuda: string;
  cuda: string;
  cublasLt: string;
  /** Whether products in FP8 are computed there. */
  fp8: boolean;
}

/** The GPU that guards run on. Rejects with Unavailable where there is none, with what `saferoute doctor` says of it. */
export async function requireGpu(addon: Pick<NativeAddon, 'cudaDevice'> = loadAddon()): Promise<Gpu> {
  const { facts, problem } = await addon.cudaDevice();
  if (facts === null) {
    throw new Unavailable(
      `--device cuda: no guard can run on a GPU here. saferoute doctor says: cuda not used: ${problem}`,
    );
  }
  return {
    name: facts.name,
    computeCapability: `${facts.computeMajor}.${facts.computeMinor}`,
    memoryGiB: Math.round(facts.memoryBytes / 2 ** 30),
    driver: driverVersion(),
    driverCuda: facts.driver,
    cuda: facts.runtime,
    cublasLt: facts.cublasLt,
    fp8: facts.fp8,
  };
}

/** Bytes of the GPU's memory that nobody holds now. */
export async function freeGpuBytes(addon: Pick<NativeAddon, 'cudaDevice'> = loadAddon()): Promise<number> {
  const { facts, problem } = await addon.cudaDevice();
  if (facts === null) throw new Unavailable(`the GPU is gone: ${problem}`);
  return facts.freeBytes;
}

function driverVersion(): string | null {
  const query = ['--query-gpu=driver_version', '--format=csv,noheader', '--id=0'];
  const { status, stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : null;
}
