/**
 * Reads values that a person wrote, of a caller's options and of a file alike: objects, words, numbers and flags. What differs between the
 * two is only how to complain.
 */

import { isJsonObject } from './checkpoint/strict-json.js';

/** `where` is the path of a value, such as 'options.cap.perSecond'. */
export interface Complaints {
  wrongType(where: string, expected: string, value: unknown): never;
  outOfRange(where: string, expected: string, value: unknown): never;
  unknownKey(where: string, key: string, known: readonly string[]): never;
}

export interface NumberRange {
  min: number;
  max: number;
  whole?: true;
  /** The ends themselves are outside. */
  open?: true;
}

export type Members = Record<string, unknown>;

/** A share, a rate, a probability. */
export const kShare: NumberRange = { min: 0, max: 1 };

/** The members of an object, copied; each is read once. */
export function readMembers(value: unknown, known: readonly string[], where: string, complain: Complaints): Members {
  if (!isJsonObject(value)) return complain.wrongType(where, 'an object', value);
  const members = { ...value };
  const unknown = Object.keys(members).find((key) => !known.includes(key));
  return unknown === undefined ? members : complain.unknownKey(where, unknown, known);
}

export function readNumber(
  value: unknown,
  where: string,
  { min, max, whole, open }: NumberRange,
  complain: Complaints,
): number {
  const ends = open ? `between ${min} and ${max}` : `from ${min} to ${max}`;
  const expected = `${whole ? 'a whole number' : 'a number'} ${ends}`;
  if (typeof value !== 'number') return complain.wrongType(where, expected, value);
  const fits = open ? value > min && value < max : value >= min && value <= max;
  return fits && (!whole || Number.isInteger(value)) ? value : complain.outOfRange(where, expected, value);
}

export function readWord<const T extends string>(
  value: unknown,
  words: readonly T[],
  where: string,
  complain: Complaints,
): T {
  const expected = `one of ${words.map((word) => `'${word}'`).join(', ')}`;
  if (typeof value !== 'string') return complain.wrongType(where, expected, value);
  return words.find((word) => word === value) ?? complain.outOfRange(where, expected, value);
}

export function readFlag(value: unknown, where: string, complain: Complaints): boolean {
  return typeof value === 'boolean' ? value : complain.wrongType(where, 'a boolean', value);
}
