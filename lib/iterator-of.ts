/** The iterator of whatever can be iterated: a caller's rows, or a stream. */

import { typeError } from './errors.js';

export type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** Throws a TypeError that says `expected` where `source` is nothing to iterate, a string included: its characters are never meant. */
export function iteratorOf(source: unknown, where: string, expected: string): AnyIterator {
  if (typeof source === 'object' && source !== null) {
    const iterable = source as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
    const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
    if (iterator !== undefined) return iterator;
  }
  throw typeError(where, expected, source);
}
