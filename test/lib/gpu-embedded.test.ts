// What only a GPU has: memory that is counted and given back, engines that share it, and a response that is judged there while it is written.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SafeRoute } from '../../lib/saferoute.js';
import { freeGpuBytes, gpuFor } from './gpu.js';
import { judgedTexts } from './judged-texts.js';
import { coded } from './rejected.js';

const kOnGpu = { device: 'cuda', precision: 'bf16' } as const;
/** How far a reading may be off in another batch: products of other sizes are added up in another order. */
const kTolerance = 0.02;
const kRounds = 5;

describe('the embedded pair on a GPU', () => {
  it('says what it holds there, and holds it', async (context) => {
    if ((await gpuFor(context)) === null) return;
    const before = await freeGpuBytes();
    await using pair = await SafeRoute.load(undefined, kOnGpu);
    assert.deepEqual([pair.small.device, pair.small.precision], ['cuda', 'bf16']);
    const { small, large } = pair.stats();
    let reserved = 0;
    for (const guard of [small, large]) {
      const memory = guard?.gpu_memory ?? assert.fail('a guard on the GPU has memory there');
      const parts = new Map(memory.parts.map((part) => [part.purpose, part]));
      for (const purpose of ['layers', 'head', 'keys and values', 'pass']) {
        assert.ok((parts.get(purpose)?.reserved ?? 0) > 0, `${purpose} of ${[...parts.keys()]}`);
      }
      for (const { purpose, reserved: most, used } of memory.parts)
        assert.ok(used <= most, `${purpose}: ${used} of ${most}`);
      assert.equal(memory.pinned, 0, 'nothing of so small a guard is streamed');
      reserved += memory.reserved;
    }
    assert.ok(before - (await freeGpuBytes()) >= reserved, `${reserved} bytes are reserved`);
  });

  it('gives the memory back when it is closed', async (context) => {
    if ((await gpuFor(context)) === null) return;
    const round = async () => {
      const pair = await SafeRoute.load(undefined, kOnGpu);
      // One after the other: batches that chance makes would call kernels of cuBLASLt that no round before has.
      for (const text of judgedTexts().slice(0, 40)) await pair.check(text);
      await pair.close();
    };
    await round(); // what the driver keeps of the first load, it keeps once
    const before = await freeGpuBytes();
    for (let done = 0; done < kRounds; done++) await round();
    assert.equal(await freeGpuBytes(), before);
  });

  it('shares the device with another engine of the process, and each closes alone', async (context) => {
    if ((await gpuFor(context)) === null) return;
    const texts = judgedTexts().slice(0, 100);
    const one = await SafeRoute.load(undefined, kOnGpu);
    await using other = await SafeRoute.load(undefined, kOnGpu);
    const judge = (pair: SafeRoute) => Promise.all(texts.map((text) => pair.small.score(text)));
    const [ofOne, ofOther] = await Promise.all([judge(one), judge(other)]);
    await one.close();
    const afterwards = await judge(other);
    await assert.rejects(one.check('too late'), coded('ERR_CLOSED'));
    texts.forEach((_, row) => {
      const [first, ...rest] = [ofOne, ofOther, afterwards].map((readings) => readings[row]?.score ?? Number.NaN);
      for (const score of rest)
        assert.ok(Math.abs(score - (first as number)) <= kTolerance, `row ${row}: ${score}, ${first}`);
    });
  });

  it('judges a response while it is written', async (context) => {
    if ((await gpuFor(context)) === null) return;
    const question = 'How do I keep a small garden alive in a dry summer?';
    const response = 'Water early in the morning, cover the soil with straw, and let the grass grow. '.repeat(8).trim();
    // By the small guard alone, and nothing is unsafe: this is about what is computed, not about how good the guard is.
    await using pair = await SafeRoute.load(undefined, { ...kOnGpu, escalation: { kind: 'never' }, unsafeAt: 1 });
    const moderation = pair.moderate(response.split(/(?<= )/), { messages: question, every: 16 });
    let text = '';
    for await (const chunk of moderation) text += chunk;
    assert.equal(text, response);
    const last = await moderation.verdict;
    const whole = await pair.check({ prompt: question, response });
    assert.ok(
      Math.abs((last?.score ?? Number.NaN) - whole.score) <= kTolerance,
      `${last?.score} is not ${whole.score}`,
    );
    assert.ok(pair.stats().small.tokens.cached > 0, 'what was read before is not computed again');
  });

  it('lets go of a load that asks for more memory than there is, and the next one stands', async (context) => {
    if ((await gpuFor(context)) === null) return;
    await assert.rejects(SafeRoute.load(undefined, { ...kOnGpu, memory: { gpu: 1 << 20 } }), coded('ERR_MEMORY'));
    await using pair = await SafeRoute.load(undefined, kOnGpu);
    assert.ok((await pair.check('How do I bake bread?')).score >= 0);
  });
});
