/** The iterator of whatever can be iterated: a caller's rows, or a stream. */

import { typeError } from './errors.js';

export type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

type AnyIterable = Partial<Iterable<unknown> & AsyncIterable<unknown>>;

/**
 * Throws a TypeError that says `expected` where `source` is nothing to iterate, a string included: its characters are never meant.
 * A stream's own iterator would wait with `return` for the read in flight, and so for a chunk that may never come: here it ends the stream at once.
 */
export function iteratorOf(source: unknown, where: string, expected: string): AnyIterator {
  if (typeof source === 'object' && source !== null) {
    if (isWebStream(source)) return webIterator(source);
    const iterable = source as AnyIterable;
    const iterator = iterable[Symbol.asyncIterator]?.() ?? iterable[Symbol.iterator]?.();
    if (iterator !== undefined) return isNodeStream(source) ? nodeIterator(source, iterator) : iterator;
  }
  throw typeError(where, expected, source);
}

interface WebStream {
  getReader(): {
    read(): Promise<IteratorResult<unknown>>;
    cancel(): Promise<void>;
    releaseLock(): void;
  };
}

function isWebStream(source: object): source is WebStream {
  return typeof (source as Partial<WebStream>).getReader === 'function';
}

function webIterator(stream: WebStream): AnyIterator {
  const reader = stream.getReader();
  const next = async () => {
    const result = await reader.read();
    if (result.done) reader.releaseLock();
    return result;
  };
  return {
    next: () =>
      next().catch((error: unknown) => {
        reader.releaseLock();
        throw error;
      }),
    async return() {
      const cancelled = reader.cancel();
      reader.releaseLock();
      await cancelled;
      return { done: true, value: undefined };
    },
  };
}

interface NodeStream {
  readable: boolean;
  destroy(): unknown;
}

function isNodeStream(source: object): source is NodeStream {
  const { readable, destroy } = source as Partial<NodeStream>;
  return typeof readable === 'boolean' && typeof destroy === 'function';
}

function nodeIterator(stream: NodeStream, iterator: AnyIterator): AnyIterator {
  let reading = false;
  return {
    async next() {
      reading = true;
      try {
        return await iterator.next();
      } finally {
        reading = false;
      }
    },
    async return() {
      if (reading) stream.destroy();
      return (await iterator.return?.()) ?? { done: true, value: undefined };
    },
  };
}
