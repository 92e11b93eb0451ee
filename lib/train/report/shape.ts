/** Shapes of parsed JSON: each throws ERR_DATA that names the place, the limit and the value of the first thing that does not fit. */

import { describe, SafeRouteError } from '../../errors.js';

/** `place` is where the value stands: "report.json: sets[0].rows". */
export type Shape = (value: unknown, place: string) => void;

export function misfit(place: string, expected: string, actual: unknown): never {
  throw new SafeRouteError('ERR_DATA', `${place} must be ${expected}, got ${describe(actual)}`);
}

export const text: Shape = (value, place) => {
  if (typeof value !== 'string') misfit(place, 'a string', value);
};

export const anything: Shape = () => {};

export const amount: Shape = (value, place) => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    misfit(place, 'a finite number of at least 0', value);
};

/** From 0 to 1, and what a sum of rounded numbers may be over: a mean of ones is not always one. */
export const share: Shape = (value, place) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1 + 1e-9)) misfit(place, 'a number from 0 to 1', value);
};

export const count: Shape = (value, place) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) misfit(place, 'a whole number of at least 0', value);
};

export function oneOf(choices: readonly string[]): Shape {
  return (value, place) => {
    if (!choices.includes(value as string)) misfit(place, `one of ${choices.join(', ')}`, value);
  };
}

export function nullable(shape: Shape): Shape {
  return (value, place) => {
    if (value !== null) shape(value, place);
  };
}

export function optional(shape: Shape): Shape {
  return (value, place) => {
    if (value !== undefined) shape(value, place);
  };
}

export function list(shape: Shape): Shape {
  return (value, place) => {
    if (!Array.isArray(value)) misfit(place, 'a list', value);
    for (const [index, one] of value.entries()) shape(one, `${place}[${index}]`);
  };
}

/** Members beside the named ones are let through: nothing reads them. */
export function object(members: Readonly<Record<string, Shape>>): Shape {
  return (value, place) => {
    const given = requireObject(value, place);
    for (const [key, shape] of Object.entries(members)) {
      shape(Object.hasOwn(given, key) ? given[key] : undefined, member(place, key));
    }
  };
}

/** An object whose keys are some of `keys`, each with a value of one shape. */
export function recordOf(keys: readonly string[], shape: Shape): Shape {
  return (value, place) => {
    for (const [key, one] of Object.entries(requireObject(value, place))) {
      if (!keys.includes(key)) misfit(place, `keyed by ${keys.join(', ')}`, key);
      shape(one, member(place, key));
    }
  };
}

function requireObject(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) misfit(place, 'an object', value);
  return value as Record<string, unknown>;
}

function member(place: string, key: string): string {
  return place.endsWith(': ') ? `${place}${key}` : `${place}.${key}`;
}
