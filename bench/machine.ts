// What the results must name: the commit, the machine, its instruction sets, its GPU where one is used, and versions.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Gpu } from './device.js';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  /** Those that matter to matrix products. */
  instructionSets: string[];
  os: string;
  /** The one that the run was on; null for a run on the CPU. */
  gpu: Gpu | null;
}

export interface Provenance {
  date: string;
  commit: string;
  /** Whether the working tree had changes that the commit does not name. */
  modified: boolean;
  node: string;
  saferoute: string;
  machine: Machine;
}

const kInstructionSets =
  /^(avx2|avx_vnni|avx512f|avx512_vnni|avx512_bf16|avx512_fp16|amx_int8|amx_bf16|asimddp|i8mm|bf16|sve)$/;
const kRoot = join(import.meta.dirname, '..');

/** `gpu`: the one that the run is on. */
export function provenance(gpu: Gpu | null): Provenance {
  const { version } = JSON.parse(readFileSync(join(kRoot, 'package.json'), 'utf8')) as { version: string };
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD') || carriedCommit(),
    modified: git('status', '--porcelain', '--untracked-files=no') !== '',
    node: process.version,
    saferoute: version,
    machine: machine(gpu),
  };
}

function machine(gpu: Gpu | null): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    instructionSets: instructionSets(),
    os: `${process.platform}-${process.arch}`,
    gpu,
  };
}

/** From /proc/cpuinfo; empty where there is none. */
function instructionSets(): string[] {
  try {
    const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return flags.split(' ').filter((flag) => kInstructionSets.test(flag));
  } catch {
    return [];
  }
}

/** A name for files: the GPU of a run on one, else the processor, its cores, and what tells it from older ones. */
export function machineName({ cpu, cores, instructionSets: sets, gpu }: Machine): string {
  if (gpu !== null) return plainName(gpu.name);
  const plain = cpu.replace(/\((R|TM)\)|CPU|Processor|@.*$/gi, ' ');
  const widest = ['amx_int8', 'avx512_vnni', 'avx_vnni', 'i8mm', 'avx2'].find((set) => sets.includes(set));
  return plainName([plain, `${cores} cores`, widest ?? hostname()].join(' '));
}

/** For people: the same with versions. */
export function machineCaption({ cpu, cores, gpu }: Machine): string {
  const host = `${cpu}, ${cores} cores`;
  if (gpu === null) return host;
  const { name, memoryGiB, driver, cuda, cublasLt } = gpu;
  return `${name}, ${memoryGiB} GiB, driver ${driver ?? 'unknown'}, CUDA ${cuda}, cuBLASLt ${cublasLt}; ${host}`;
}

function plainName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** What bench/gpu/pack.sh wrote for a machine that gets the files and no repository. */
function carriedCommit(): string {
  try {
    return readFileSync(join(kRoot, 'build', 'gpu-carry', 'commit'), 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function git(...args: string[]): string {
  const { stdout, status } = spawnSync('git', args, { cwd: kRoot, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}
