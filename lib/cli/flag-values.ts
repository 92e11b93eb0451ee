/** Texts of the command line → values, for the arguments of every command: what doesn't fit is a UsageError that names flag, value and limit. */

import { UsageError } from './exit.js';

/** Bytes in each unit of a size. */
const kUnits: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

export function oneOf<const T extends string>(flag: string, value: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === value);
  if (choice === undefined) throw new UsageError(`${flag} must be one of ${choices.join(', ')}, got '${value}'`);
  return choice;
}

export function numberIn(flag: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${flag} must be a number from ${least} to ${most}, got '${text}'`);
  }
  return value;
}

export function wholeNumberIn(flag: string, text: string, least: number, most: number): number {
  const value = numberIn(flag, text, least, most);
  if (!Number.isInteger(value)) throw new UsageError(`${flag} must be a whole number, got '${text}'`);
  return value;
}

/** "512MiB" or "536870912". */
export function sizeIn(flag: string, text: string): number {
  const [, number = '', unit = 'B'] = /^(\d+(?:\.\d+)?) ?([KMG]iB|B)?$/.exec(text) ?? [];
  const size = Number(number) * (kUnits[unit] as number);
  if (number === '' || !Number.isSafeInteger(size) || size < 1) {
    throw new UsageError(`${flag} must be a size of at least 1 byte such as 512MiB, got '${text}'`);
  }
  return size;
}

/** Paths by the names of their flags, which may be missing but not empty. */
export function refuseEmptyPaths(paths: Readonly<Record<string, string | readonly string[] | undefined>>): void {
  for (const [flag, path] of Object.entries(paths)) {
    if ([path].flat().includes('')) throw new UsageError(`--${flag} must be a path, got ''`);
  }
}
