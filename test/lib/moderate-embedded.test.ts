// Moderation on the embedded pair: real guards, real prefix caches.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SafeRoute } from '../../lib/saferoute.js';

const kQuestion = 'How do I keep a small garden alive in a dry summer?';
const kSentence = 'Water early in the morning, cover the soil with straw, and let the grass grow a little longer. ';

describe('moderation by the embedded pair', () => {
  let saferoute: SafeRoute;
  before(async () => {
    // By the small guard alone, and nothing is unsafe: this is about what is computed, not about how good the guards are.
    saferoute = await SafeRoute.load(undefined, { escalation: { kind: 'never' }, unsafeAt: 1 });
  });
  after(() => saferoute.close());

  /** What the small guard computed while `work` ran. */
  async function computedBy(work: () => Promise<unknown>): Promise<number> {
    const before = saferoute.stats().small.tokens.computed;
    await work();
    return saferoute.stats().small.tokens.computed - before;
  }

  it('gives the whole text and the verdict that a check of it gives', async () => {
    const words = kSentence.repeat(4).split(/(?<= )/);
    const moderation = saferoute.moderate(words, { messages: kQuestion });
    let text = '';
    for await (const chunk of moderation) text += chunk;
    assert.equal(text, kSentence.repeat(4));
    const verdict = await saferoute.check({ prompt: kQuestion, response: text });
    const last = await moderation.verdict;
    assert.deepEqual([last?.label, last?.score], [verdict.label, verdict.score]);
  });

  it('computes little more than what is new, a check every 32 tokens of 1,000', async () => {
    const every = 32;
    const [response, tokens] = await longResponse(1000);
    const words = response.split(/(?<= )/);
    const checks = Math.ceil(tokens / every);
    const tail = await tailTokens();
    const computed = await computedBy(async () => {
      for await (const _ of saferoute.moderate(words, { messages: kQuestion, every }));
    });
    // Each new token once, and what the template puts after the conversation once for every check.
    const needed = tokens + checks * tail;
    assert.ok(computed <= 1.25 * needed, `${computed} tokens computed for ${needed} that must be`);
    assert.ok(computed >= tokens, `${computed} tokens cannot be enough for ${tokens}`);
  });

  /** A response of about `tokens` tokens, and how many it has. */
  async function longResponse(tokens: number): Promise<[string, number]> {
    const base = (await saferoute.small.encode({ prompt: kQuestion, response: 'x' })).length;
    const lengthOf = async (text: string) =>
      (await saferoute.small.encode({ prompt: kQuestion, response: text })).length - base + 1;
    const each = await lengthOf(kSentence);
    // Sentences that differ, so that nothing of one is cached for another.
    const sentences = Array.from({ length: Math.round(tokens / (each + 1)) }, (_, index) => `${index}. ${kSentence}`);
    const text = sentences.join('').trimEnd();
    return [text, await lengthOf(text)];
  }

  /** Tokens that every prompt ends with, whatever the response says. */
  async function tailTokens(): Promise<number> {
    const [one, other] = await Promise.all(
      ['alpha', 'omega'].map((response) => saferoute.small.encode({ prompt: kQuestion, response })),
    );
    if (one === undefined || other === undefined) throw new Error('two prompts were asked for');
    let tail = 0;
    while (one.at(-1 - tail) === other.at(-1 - tail)) tail++;
    return tail;
  }
});
