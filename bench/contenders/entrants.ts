// Who takes part, by the names that the command line and the reports use.
import type { Device } from '../device.js';
import { kCpuEntrants } from './cpu-entrants.js';
import { kCudaEntrants } from './cuda-entrants.js';
import type { Entrant } from './entrant.js';

const kAll: readonly Entrant[] = [...kCpuEntrants, ...kCudaEntrants];

/** On one device. */
export function entrantNames(device: Device): string[] {
  return kAll.filter((one) => one.device === device).map(({ name }) => name);
}

/** Whether it is this package that is measured, alone or as a pair. */
export function isOurs(name: string): boolean {
  return kAll.some((one) => one.name === name && one.engine === 'saferoute');
}

export function entrant(name: string): Entrant {
  const found = kAll.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`no contender is called '${name}'; there are ${kAll.map((one) => one.name).join(', ')}`);
}
