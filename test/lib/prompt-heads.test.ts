// The beginnings that a guard's prompts share: which they are, and that a load has them read.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findHeads } from '../../lib/prompt-heads.js';
import { openPair } from '../../lib/saferoute.js';
import { FakeAddon } from './fake-addon.js';
import { goldenOf, kGuardNames, openPrompter } from './fixture-guards.js';
import { fakePair, kEasy, kLlamaGuard, kPair, until } from './fixture-pairs.js';
import { coded } from './rejected.js';

const startsWith = (ids: readonly number[], head: ArrayLike<number>) =>
  Array.from(head).every((id, index) => id === ids[index]);

describe('the heads of a guard', () => {
  for (const name of kGuardNames) {
    it(`are what its prompts begin with: ${name}`, async () => {
      const heads = await findHeads(await openPrompter(name));
      assert.ok(heads.length > 0 && heads.every((head) => head.length >= 16));
      const { prompt, prompt_response: response } = goldenOf(name).cases;
      for (const golden of [prompt, response]) {
        const ids = golden?.ids ?? assert.fail();
        const own = heads.filter((head) => startsWith(ids, head));
        assert.equal(own.length, 1, `${own.length} heads of a prompt with ${ids.length} tokens`);
        assert.ok((own[0]?.length ?? 0) < ids.length);
      }
    });
  }

  it('go as far as the text of the message, and no further', async () => {
    const prompter = await openPrompter('qwen3guard');
    const [head] = await findHeads(prompter);
    const prompts = await Promise.all(
      ['How are you?', '7 days'].map((content) =>
        prompter.prompt({ messages: [{ role: 'user', content }], rules: null }),
      ),
    );
    const [one, other] = prompts.map(({ ids }) => [...ids]);
    const end = one?.findIndex((id, index) => id !== other?.[index]);
    assert.ok(
      (await findHeads(prompter)).some(({ length }) => length === end),
      `${head?.length} is not ${end}`,
    );
  });

  it('are one where the form of the conversation makes no difference before its text', async () => {
    assert.equal((await findHeads(await openPrompter('dynaguard'))).length, 1);
    assert.equal((await findHeads(await openPrompter('llama-guard-1b'))).length, 2);
  });

  it('are none where the template has too little of its own, or the guard no room for it', async () => {
    const bare = await openPrompter('qwen3guard', { template: "{{ messages[0]['content'] }}" });
    assert.deepEqual(await findHeads(bare), []);
    assert.deepEqual(await findHeads(await openPrompter('qwen3guard', { contextTokens: 32 })), []);
    assert.deepEqual(
      await findHeads(await openPrompter('qwen3guard', { contextTokens: 90, overlong: 'truncate' })),
      [],
    );
  });
});

describe('a load', () => {
  it('has the heads of both guards read, as bulk, before it resolves', async (context) => {
    const { saferoute, engine } = await fakePair(context);
    const [small, large] = await Promise.all([saferoute.small.encode(kEasy), saferoute.large?.encode(kEasy)]);
    const of = (lane: string) => engine.heads.filter(({ target }) => target === lane);
    assert.equal(of('small').length + of('large').length, engine.heads.length);
    assert.ok(of('small').some(({ smallIds }) => smallIds !== null && startsWith([...small], smallIds)));
    assert.ok(of('large').some(({ largeIds }) => largeIds !== null && startsWith([...(large ?? [])], largeIds)));
    assert.ok(engine.heads.every(({ bulk, feature, deadlineMs }) => bulk && !feature && deadlineMs === null));
    assert.equal(engine.submissions.length, 0);
  });

  it('waits for them', async () => {
    const addon = new FakeAddon({ headError: { code: 'ERR_NOT_FINITE', message: 'a logit is NaN' } });
    let loaded = false;
    const loading = openPair(kPair, undefined, () => addon).then((saferoute) => {
      loaded = true;
      return saferoute;
    });
    await until(() => addon.engines.length > 0 && addon.engine.heads.length > 0);
    assert.equal(loaded, false);
    await (await loading).close();
    assert.ok(addon.engine.heads.length >= 4, 'one refused head keeps no other from being read');
  });

  it('fails only where the backend does, and then leaves nothing open', async () => {
    const failing = new FakeAddon({ headError: { code: 'ERR_BACKEND', message: 'no such instruction' } });
    await assert.rejects(
      openPair(kPair, undefined, () => failing),
      coded('ERR_BACKEND', 'no such instruction'),
    );
    assert.equal(failing.engine.closes, 1);
    assert.equal(failing.engine.heads.length, 1);
    for (const code of ['ERR_NOT_FINITE', 'ERR_OVERLOADED', 'ERR_CONTEXT_LENGTH']) {
      const refusing = new FakeAddon({ headError: { code, message: '' } });
      await (await openPair({ small: kLlamaGuard }, undefined, () => refusing)).close();
    }
  });
});
