// What is read from callers: iterables as they are, streams so that they end at once where nobody listens any more.
import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { type AnyIterator, iteratorOf } from '../../lib/iterator-of.js';
import { until } from './fixture-pairs.js';
import { coded } from './rejected.js';

const open = (source: unknown) => iteratorOf(source, 'rows', 'an iterable');

async function all(iterator: AnyIterator): Promise<unknown[]> {
  const values: unknown[] = [];
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) values.push(step.value);
  return values;
}

describe('the iterator of what a caller passes', () => {
  it('gives what is in it', async () => {
    const sources = [['a', 'b'], new Set(['a', 'b']), ReadableStream.from(['a', 'b']), Readable.from(['a', 'b'])];
    for (const source of sources) assert.deepEqual(await all(open(source)), ['a', 'b']);
  });

  it('is refused for what cannot be iterated, a string among it', () => {
    for (const source of ['ab', 5, null, {}]) assert.throws(() => open(source), coded('ERR_INVALID_ARG_TYPE'));
  });

  it('cancels a Web stream at once, though a read of it waits', async () => {
    let cancelled = false;
    const quiet = new ReadableStream({
      cancel: () => {
        cancelled = true;
      },
    });
    const iterator = open(quiet);
    const read = iterator.next();
    await iterator.return?.();
    assert.deepEqual([cancelled, quiet.locked, (await read).done], [true, false, true]);
  });

  it('leaves no lock on a Web stream that has ended or failed', async () => {
    const ended = ReadableStream.from(['a']);
    await all(open(ended));
    const failed = new ReadableStream({ start: (controller) => controller.error(new Error('the model went away')) });
    await assert.rejects(all(open(failed)), /the model went away/);
    assert.deepEqual([ended.locked, failed.locked], [false, false]);
  });

  it('destroys a Node stream at once, though a read of it waits', async () => {
    const quiet = new PassThrough();
    const iterator = open(quiet);
    const read = Promise.resolve(iterator.next());
    read.catch(() => {}); // nobody listens
    const left = iterator.return?.();
    assert.equal(quiet.destroyed, true);
    await left;
  });

  it('destroys a Node stream between two reads as its own iterator does', async () => {
    const stream = Readable.from(['a', 'b', 'c']);
    const iterator = open(stream);
    await iterator.next();
    await iterator.return?.();
    await until(() => stream.destroyed);
  });
});
