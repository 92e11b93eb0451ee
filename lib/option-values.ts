/** Reads single options of a caller's: each is held against its type and range, and the errors name option, value and limit. */

import { type Complaints, type NumberRange, readFlag, readMembers, readNumber, readWord } from './checked-values.js';
import { rangeError, typeError } from './errors.js';
import { unknownName } from './nearest-name.js';

/** A TypeError or RangeError. */
export const kOptionComplaints: Complaints = {
  wrongType(where, expected, value) {
    throw typeError(where, expected, value);
  },
  outOfRange(where, expected, value) {
    throw rangeError(where, expected, value);
  },
  unknownKey(where, key, known) {
    const error = new TypeError(`${where}: the option ${unknownName(key, known)}`);
    throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
  },
};

/** The members of an options object, copied; none where nothing is given. */
export function optionGroup(value: unknown, known: readonly string[], where: string): Record<string, unknown> {
  return value === undefined ? {} : readMembers(value, known, where, kOptionComplaints);
}

/** One of `choices`; the first is the default. */
export function choice<T extends string>(value: unknown, choices: readonly T[], where: string): T {
  return value === undefined ? (choices[0] as T) : readWord(value, choices, where, kOptionComplaints);
}

/** A whole number from `min` to `max`; `otherwise` where nothing is given. */
export function count(value: unknown, otherwise: number, min: number, max: number, where: string): number {
  return value === undefined ? otherwise : numberIn(value, { min, max, whole: true }, where);
}

export function numberIn(value: unknown, range: NumberRange, where: string): number {
  return readNumber(value, where, range, kOptionComplaints);
}

export function flag(value: unknown, where: string, otherwise: boolean): boolean {
  return value === undefined ? otherwise : readFlag(value, where, kOptionComplaints);
}

export function parsePath(value: unknown, where: string): string {
  if (typeof value !== 'string') throw typeError(where, 'a path', value);
  if (value === '' || value.includes('\0')) throw rangeError(where, 'a path', value);
  return value;
}

/** One path, or a list of at least one, copied. */
export function parsePaths(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) return [parsePath(value, where)];
  if (value.length === 0) throw rangeError(where, 'one path or more', value);
  return value.map((one, place) => parsePath(one, `${where}[${place}]`));
}

/** `options.signal`; null where there is none. */
export function parseSignal(value: unknown): AbortSignal | null {
  if (value === undefined || value === null) return null;
  if (!(value instanceof AbortSignal)) throw typeError('options.signal', 'an AbortSignal', value);
  return value;
}

/** A function that is told of progress; one that does nothing where none is given. */
export function parseListener<T>(value: unknown, where: string): (news: T) => void {
  if (value === undefined) return () => {};
  if (typeof value !== 'function') throw typeError(where, 'a function', value);
  return value as (news: T) => void;
}
