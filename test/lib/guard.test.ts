// One guard, alone and in a pair, over an addon without native code.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { openGuard } from '../../lib/guard.js';
import type { NativeEvent } from '../../lib/native.js';
import type { GuardOptions } from '../../lib/options.js';
import { FakeAddon, type FakeBehaviour } from './fake-addon.js';
import { goldenOf } from './fixture-guards.js';
import { fakePair, kDynaGuard, kEasy, kLlamaGuard, kQwenGuard, until } from './fixture-pairs.js';
import { coded } from './rejected.js';

async function fakeGuard(context: TestContext, dir: string, options: GuardOptions = {}, behaviour: FakeBehaviour = {}) {
  const addon = new FakeAddon(behaviour);
  const guard = await openGuard(dir, options, () => addon);
  addon.engine.loaded = true;
  context.after(() => guard.close());
  return { guard, engine: addon.engine };
}

describe('Guard', () => {
  it('reads token ids as they are', async (context) => {
    const { guard, engine } = await fakeGuard(context, kLlamaGuard, {}, { score: (ids) => ids.length / 8 });
    const reading = await guard.read([5, 6]);
    assert.deepEqual([reading.score, Object.keys(reading)], [0.25, ['score', 'logits']]);
    assert.equal(reading.logits.safe, 0);
    const { feature } = await guard.read(new Int32Array([7]), { feature: true });
    assert.ok(feature instanceof Float32Array);
    assert.deepEqual(
      engine.submissions.map(({ target, smallIds, feature: asked }) => [target, smallIds, asked]),
      [
        ['small', [5, 6], false],
        ['small', [7], true],
      ],
    );
    assert.deepEqual([engine.config.large, engine.config.escalation.kind], [null, 'never']);
  });

  it('scores an input with its template', async (context) => {
    const { guard, engine } = await fakeGuard(context, kLlamaGuard, {}, { score: () => 0.75 });
    const { input, ids } = goldenOf('llama-guard-1b').cases.prompt_response ?? assert.fail();
    assert.equal((await guard.score(input)).score, 0.75);
    assert.deepEqual(engine.submissions[0]?.smallIds, ids);
    assert.deepEqual([...(await guard.encode(input))], ids);
    assert.equal(engine.submissions.length, 1);
  });

  it('is asked by the spec that it is given', async (context) => {
    const golden = goldenOf('dynaguard');
    const { guard, engine } = await fakeGuard(context, kDynaGuard, {
      guard: { family: 'dynaguard', system: golden.system ?? '' },
    });
    const { input, ids } = golden.cases.prompt ?? assert.fail();
    await guard.score(input);
    assert.deepEqual(engine.submissions[0]?.smallIds, ids);
    assert.equal(guard.family, 'dynaguard');
    await assert.rejects(guard.score('no rules'), coded('ERR_INPUT', 'needs rules'));
  });

  it('refuses ids that it does not have', async (context) => {
    const { guard, engine } = await fakeGuard(context, kLlamaGuard);
    await assert.rejects(guard.read([525]), coded('ERR_OUT_OF_RANGE', 'ids[0]', '525', '524'));
    await assert.rejects(guard.read(new Int32Array(513)), coded('ERR_CONTEXT_LENGTH', '513', '512'));
    await assert.rejects(guard.read([]), coded('ERR_INPUT'));
    await assert.rejects(guard.read('1' as never), coded('ERR_INVALID_ARG_TYPE'));
    await assert.rejects(guard.read([1], { feature: 1 } as never), coded('ERR_INVALID_ARG_TYPE', 'options.feature'));
    await assert.rejects(
      guard.read([1], { features: true } as never),
      coded('ERR_INVALID_ARG_TYPE', "did you mean 'feature'"),
    );
    await assert.rejects(guard.score(kEasy, { feature: true } as never), coded('ERR_INVALID_ARG_TYPE', "'feature'"));
    assert.equal(engine.submissions.length, 0);
  });

  it('gives no answer of an engine that answers without its reading', async (context) => {
    const { guard, engine } = await fakeGuard(context, kLlamaGuard, {}, { held: true });
    const [read, scored] = [guard.read([1]), guard.score(kEasy)];
    await until(() => engine.submissions.length === 2);
    for (const { ticket } of engine.submissions) {
      engine.emit(engine.eventsOf(ticket).map((event) => ({ ...event, small: null }) as NativeEvent));
    }
    for (const answer of [read, scored]) await assert.rejects(answer, coded('ERR_BACKEND', 'without a reading'));
  });

  it('can be aborted and closed with work pending', async (context) => {
    const { guard, engine } = await fakeGuard(context, kLlamaGuard, {}, { held: true });
    const controller = new AbortController();
    const [aborted, closed] = [guard.read([1], { signal: controller.signal }), guard.read([2])];
    await until(() => engine.submissions.length === 2);
    controller.abort();
    await assert.rejects(aborted, coded('ERR_ABORTED'));
    await Promise.all([guard[Symbol.asyncDispose](), assert.rejects(closed, coded('ERR_CLOSED'))]);
    await guard.close();
    assert.equal(engine.closes, 1);
  });

  it('rejects wrong options and directories', async () => {
    const open = (dir: unknown, options?: unknown) =>
      openGuard(dir as string, options as GuardOptions, () => new FakeAddon());
    await assert.rejects(open(undefined), coded('ERR_INVALID_ARG_TYPE', 'dir'));
    await assert.rejects(open('/nowhere'), coded('ERR_CHECKPOINT', '/nowhere'));
    await assert.rejects(open(kLlamaGuard, { precision: 'int4' }), coded('ERR_OUT_OF_RANGE', "'int4'", "'int8'"));
    await assert.rejects(open(kLlamaGuard, { device: 'cuda' }), coded('ERR_UNSUPPORTED', 'cuda'));
    await assert.rejects(
      open(kLlamaGuard, { escalation: { kind: 'never' } }),
      coded('ERR_INVALID_ARG_TYPE', "'escalation'"),
    );
    await assert.rejects(open(kDynaGuard), coded('ERR_SPEC', 'cannot tell how to ask'));
  });
});

describe('the guards of a pair', () => {
  it('are asked one by one, each with its own prompt', async (context) => {
    const { saferoute, engine } = await fakePair(context, { score: () => 0.75 });
    const { large } = saferoute;
    assert.ok(large !== null && !('close' in large));
    assert.equal((await saferoute.small.score(kEasy)).score, 0.75);
    assert.equal((await large.score(kEasy)).score, 0.75);
    assert.equal((await large.read([3])).score, 0.75);
    const [small, big, ids] = engine.submissions;
    assert.deepEqual([small?.target, big?.target, big?.smallIds, ids?.largeIds], ['small', 'large', null, [3]]);
    assert.notDeepEqual(small?.smallIds, big?.largeIds);
    assert.equal(large.dir, kQwenGuard);
  });

  it('hold ids against their own vocabulary', async (context) => {
    const { saferoute } = await fakePair(context);
    await assert.rejects(saferoute.small.read([525]), coded('ERR_OUT_OF_RANGE'));
    await saferoute.large?.read([525]);
  });
});
