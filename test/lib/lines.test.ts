import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Line, readLines } from '../../lib/lines.js';

async function lines(chunks: (string | Buffer)[], limit = 1000): Promise<Line[]> {
  async function* source() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const read: Line[] = [];
  for await (const line of readLines(source(), limit)) read.push(line);
  return read;
}

async function texts(chunks: (string | Buffer)[], limit?: number): Promise<(string | null)[]> {
  return (await lines(chunks, limit)).map(({ content }) => content?.toString() ?? null);
}

describe('readLines', () => {
  it('finds the same lines wherever the chunks are cut', async () => {
    const text = 'one\r\n\nüñï → three\nlast';
    const whole = Buffer.from(text);
    for (let size = 1; size <= whole.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      );
      assert.deepEqual(await texts(chunks), ['one', '', 'üñï → three', 'last'], `chunks of ${size} bytes`);
    }
  });

  it('numbers lines from 1, blank ones counted', async () => {
    assert.deepEqual(
      (await lines(['a\n\nb\n'])).map(({ number }) => number),
      [1, 2, 3],
    );
  });

  it('reads nothing from nothing, and no line after the last line break', async () => {
    assert.deepEqual(await texts([]), []);
    assert.deepEqual(await texts(['a\n']), ['a']);
  });

  it('drops a line over the limit, says how long it was, and goes on', async () => {
    const read = await lines(['short\n', 'x'.repeat(6), 'y'.repeat(6), '\nnext\n'], 11);
    assert.deepEqual(
      read.map(({ content, bytes }) => [content?.toString() ?? null, bytes]),
      [
        ['short', 5],
        [null, 12],
        ['next', 4],
      ],
    );
  });

  it('keeps a line of exactly the limit', async () => {
    assert.deepEqual(await texts(['12345\n'], 5), ['12345']);
    assert.deepEqual(await texts(['123456\n'], 5), [null]);
  });

  it('holds no more than the limit of an endless line', async () => {
    const chunk = Buffer.alloc(1 << 20, 'x');
    async function* endless() {
      for (let index = 0; index < 512; index += 1) yield chunk;
    }
    const before = process.memoryUsage().rss;
    for await (const line of readLines(endless(), 1 << 20)) assert.equal(line.bytes, 512 << 20);
    assert.ok(process.memoryUsage().rss - before < 64 << 20);
  });
});
