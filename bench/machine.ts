// What the results must name: the commit, the machine, its instruction sets, and versions.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  /** Those that matter to matrix products. */
  instructionSets: string[];
  os: string;
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

export function provenance(): Provenance {
  const { version } = JSON.parse(readFileSync(join(kRoot, 'package.json'), 'utf8')) as { version: string };
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', 'HEAD') || 'unknown',
    modified: git('status', '--porcelain', '--untracked-files=no') !== '',
    node: process.version,
    saferoute: version,
    machine: machine(),
  };
}

function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    instructionSets: instructionSets(),
    os: `${process.platform}-${process.arch}`,
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

/** A name for files: the processor, its cores, and what tells it from older ones. */
export function machineName({ cpu, cores, instructionSets: sets }: Machine): string {
  const plain = cpu.replace(/\((R|TM)\)|CPU|Processor|@.*$/gi, ' ');
  const widest = ['amx_int8', 'avx512_vnni', 'avx_vnni', 'i8mm', 'avx2'].find((set) => sets.includes(set));
  return [plain, `${cores} cores`, widest ?? hostname()]
    .join(' ')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

function git(...args: string[]): string {
  const { stdout, status } = spawnSync('git', args, { cwd: kRoot, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}
