// Responses that outgrow what a pair reads: refused as a check of them would be, whatever `overlong` says, and before any work is done for it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenizerThread } from '../../lib/tokenizer-thread.js';
import { fakePair, kPair } from './fixture-pairs.js';
import { coded } from './rejected.js';

describe('a moderated response that grows too large', () => {
  for (const overlong of ['error', 'truncate'] as const) {
    it(`is not passed on past what the guards read of it, with overlong '${overlong}'`, async (context) => {
      const { saferoute } = await fakePair(context, {}, { ...kPair, overlong });
      const sentences = Array.from({ length: 100 }, (_, index) => `Sentence ${index} is one of many. `);
      const moderation = saferoute.moderate(sentences, { messages: 'Hi' });
      let passed = '';
      await assert.rejects(async () => {
        for await (const chunk of moderation) passed += chunk;
      }, coded('ERR_CONTEXT_LENGTH'));
      await assert.rejects(moderation.verdict, coded('ERR_CONTEXT_LENGTH'));
      assert.ok(passed !== '' && sentences.join('').startsWith(passed));
      const { tokens } = await saferoute.check({ prompt: 'Hi', response: passed });
      assert.equal(tokens.truncated, undefined);
    });
  }

  it('is not tokenised where it is over limits.inputBytes', async (context) => {
    const { saferoute } = await fakePair(context, {}, { ...kPair, limits: { inputBytes: 1000 } });
    const ask = context.mock.method(TokenizerThread.prototype, 'ask');
    const moderation = saferoute.moderate(['x'.repeat(1001)], { messages: 'Hi', every: 8 });
    await assert.rejects(moderation.next(), coded('ERR_INPUT_TOO_LARGE', '1000'));
    assert.equal(ask.mock.callCount(), 0);
  });
});
