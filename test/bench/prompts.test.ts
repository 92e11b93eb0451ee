// Lengths and token ids of the prompts that all contenders read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawLength, messageLengths } from '../../bench/prompts/message-lengths.js';
import { growingPrompts, longest, prompt, withFreshHead } from '../../bench/prompts/prompts.js';
import { randomIntegers } from '../../bench/weights/random-values.js';
import { kHeadTokens, kTailTokens } from '../../bench/weights/template.js';

test('drawn lengths fall into the bins as often as the histogram says', () => {
  const histogram = { source: '', binTokens: 10, counts: [1, 0, 3] };
  const next = randomIntegers(5);
  const drawn = Array.from({ length: 8000 }, () => drawLength(histogram, next));
  const inBin = [0, 1, 2].map((bin) => drawn.filter((length) => Math.ceil(length / 10) === bin + 1).length);
  assert.equal(inBin[1], 0);
  assert.ok(Math.abs((inBin[0] as number) - 2000) < 200, `${inBin}`);
  assert.equal((inBin[0] as number) + (inBin[2] as number), 8000);
  assert.deepEqual([...new Set(drawn)].sort((a, b) => a - b).slice(0, 10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('the committed histogram holds every message of the set and nothing else', () => {
  const { counts, binTokens, ...rest } = messageLengths();
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    1680,
  );
  assert.equal(binTokens, 8);
  assert.deepEqual(Object.keys(rest), ['source']);
});

test('prompts share head and tail and nothing of their messages', () => {
  const [first, second] = [prompt(64, 1), prompt(64, 2)] as [Int32Array, Int32Array];
  assert.equal(first.length, kHeadTokens + 64 + kTailTokens);
  assert.deepEqual(first.subarray(0, kHeadTokens), second.subarray(0, kHeadTokens));
  assert.deepEqual(first.subarray(-kTailTokens), second.subarray(-kTailTokens));
  const message = (ids: Int32Array) => [...ids.subarray(kHeadTokens, -kTailTokens)];
  assert.notDeepEqual(message(first), message(second));
  assert.deepEqual(first, prompt(64, 1));
});

test('a growing response keeps what it had, and its last prompt has all of it', () => {
  const prompts = growingPrompts(100, 32, 3);
  assert.deepEqual(
    prompts.map(({ length }) => length - kHeadTokens - kTailTokens),
    [32, 64, 96, 100],
  );
  const [first, second] = prompts as [Int32Array, Int32Array];
  assert.deepEqual(first.subarray(0, kHeadTokens + 32), second.subarray(0, kHeadTokens + 32));
  assert.equal(longest(prompts), kHeadTokens + 100 + kTailTokens);
});

test('a fresh head differs from any other within its first two tokens, and leaves the rest alone', () => {
  const ids = prompt(8, 1);
  const heads = [0, 1, 98_999, 99_000, 198_000].map((unique) => withFreshHead(ids, unique).subarray(0, 2).join());
  assert.equal(new Set(heads).size, heads.length);
  assert.deepEqual(withFreshHead(ids, 5).subarray(2), ids.subarray(2));
  assert.deepEqual(ids, prompt(8, 1));
});
