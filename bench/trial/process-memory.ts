// What Linux knows of a process's memory.
import { readFileSync } from 'node:fs';

/** Bytes: its own share of what is resident (Pss), and the most that ever was (VmHWM). */
export function processMemory(pid: number): { pss: number; mostResident: number } {
  return { pss: field(pid, 'smaps_rollup', 'Pss'), mostResident: field(pid, 'status', 'VmHWM') };
}

/** A field of a file under /proc that counts kibibytes. */
function field(pid: number, file: 'smaps_rollup' | 'status', name: string): number {
  const path = `/proc/${pid}/${file}`;
  const match = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync(path, 'utf8'));
  if (match === null) throw new Error(`${path} has no field ${name}`);
  return Number(match[1]) * 1024;
}
