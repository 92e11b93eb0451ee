// What is asked of the guards when they are timed; how long it takes is nobody's assertion.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SafeRouteError } from '../../../lib/errors.js';
import { type AskedPair, latencyOf, type Probe, spacedRows, timePair } from '../../../lib/train/pair-latency.js';
import type { Input, Reading } from '../../../lib/verdict.js';

const kReading: Reading = { score: 0.5, logits: { safe: 0, unsafe: 0 } };
const kHead = [1, 2, 3];
const kTail = [8, 9];

/** Two guards that note what they are asked, and that nothing else is in flight then. */
function askedPair(contextTokens = 64) {
  const asked: { guard: string; what: Input | number[] }[] = [];
  let inFlight = 0;
  const answer = async (guard: string, what: Input | number[]): Promise<Reading> => {
    asked.push({ guard, what });
    assert.equal(++inFlight, 1, 'one at a time');
    await Promise.resolve();
    inFlight--;
    return kReading;
  };
  const guard = (name: string) => ({
    vocabSize: 100,
    contextTokens,
    score: (input: Input) => answer(name, input),
    read: (ids: Int32Array | readonly number[]) => answer(name, Array.from(ids)),
    encode: async (input: Input) => Int32Array.of(...kHead, (input as string).charCodeAt(0) % 100, ...kTail),
  });
  const pair: AskedPair = { small: guard('small'), large: guard('large') };
  return { pair, asked, timed: () => asked.filter(({ what }) => what !== 'a') };
}

describe('timing a pair', () => {
  it('asks each guard every message, the small one first, after a warm-up', async () => {
    const { pair, asked, timed } = askedPair();
    const done: number[] = [];
    const probes: Probe[] = [{ input: 'one' }, { input: 'two' }];
    const timings = await timePair(pair, probes, undefined, (count) => done.push(count));
    assert.deepEqual(
      timed().map(({ guard, what }) => [guard, what]),
      [
        ['small', 'one'],
        ['large', 'one'],
        ['small', 'two'],
        ['large', 'two'],
      ],
    );
    assert.ok(asked.length > timed().length);
    assert.deepEqual(done, [1, 2]);
    assert.deepEqual([timings.small.length, timings.large.length], [2, 2]);
  });

  it("asks ids of a row's length within the template where there is no message, no two rows alike", async () => {
    const { pair, timed } = askedPair();
    await timePair(
      pair,
      [{ tokens: { small: 12, large: 20 } }, { tokens: { small: 12, large: 20 } }],
      undefined,
      () => {},
    );
    const ids = timed().map(({ what }) => what as number[]);
    assert.deepEqual(
      ids.map(({ length }) => length),
      [12, 20, 12, 20],
    );
    for (const prompt of ids) {
      assert.deepEqual(prompt.slice(0, 3), kHead);
      assert.deepEqual(prompt.slice(-2), kTail);
      assert.ok(prompt.every((id) => id >= 0 && id < 100));
    }
    assert.notEqual(ids[0]?.[3], ids[2]?.[3], 'the second would be found in the prefix cache');
  });

  it('keeps within the context, and to at least one token of content', async () => {
    const { pair, timed } = askedPair(16);
    await timePair(pair, [{ tokens: { small: 99, large: 2 } }], undefined, () => {});
    assert.deepEqual(
      timed().map(({ what }) => (what as number[]).length),
      [16, 6],
    );
  });

  it('asks a guard that judges by rules with rules', async () => {
    const { pair, asked } = askedPair();
    const { encode, score } = pair.large;
    const ruled = (input: Input): string => {
      if (typeof input === 'object' && 'prompt' in input && input.rules !== undefined) return input.prompt;
      throw new SafeRouteError('ERR_INPUT', 'it needs rules');
    };
    const large = {
      ...pair.large,
      encode: async (input: Input) => encode(ruled(input)),
      score: async (input: Input) => score(ruled(input)),
    };
    await timePair({ ...pair, large }, [{ tokens: { small: 12, large: 12 } }], undefined, () => {});
    const { what } = asked.at(-1) ?? assert.fail();
    assert.deepEqual((what as number[]).slice(0, 3), kHead);
    const refused = { ...large, encode: () => Promise.reject(new SafeRouteError('ERR_CLOSED', 'closed')) };
    const timing = timePair({ ...pair, large: refused }, [{ input: 'one' }], undefined, () => {});
    await assert.rejects(timing, /closed/);
  });

  it('ends at the error of a guard', async () => {
    const { pair } = askedPair();
    const failing = { ...pair, large: { ...pair.large, score: () => Promise.reject(new Error('gone')) } };
    await assert.rejects(
      timePair(failing, [{ input: 'one' }], undefined, () => {}),
      /gone/,
    );
  });
});

describe('the latency of a guard', () => {
  it('is the median of its rows', () => {
    assert.deepEqual(latencyOf({ small: [9, 1, 2], large: [4, 8, 6, 100] }), { small: 2, large: 7, prompts: 3 });
  });

  it('is not known of no rows', () => assert.equal(latencyOf({ small: [], large: [] }), null));
});

describe('the rows that are timed', () => {
  it('are spread over the set, all of a small one', () => {
    assert.deepEqual(spacedRows(10, 4), [0, 2, 5, 7]);
    assert.deepEqual(spacedRows(3, 100), [0, 1, 2]);
    assert.deepEqual(spacedRows(3, 0), []);
  });
});
