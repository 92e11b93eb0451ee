// The pair as callers see it, over an addon without native code.
import assert from 'node:assert/strict';
import diagnostics_channel from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { PairOptions } from '../../lib/options.js';
import { openPair } from '../../lib/saferoute.js';
import type { Input } from '../../lib/verdict.js';
import { scratchFolder } from './checkpoint/scratch.js';
import { FakeAddon, type FakeBehaviour, nativeError } from './fake-addon.js';
import {
  fakePair,
  kCardRouter,
  kDynaGuard,
  kEasy,
  kHard,
  kLlamaGuard,
  kLlamaGuard8b,
  kLongIsHard,
  kOfficialRouter,
  kPair,
  kQwenGuard,
  kWideRouter,
  until,
} from './fixture-pairs.js';
import { coded } from './rejected.js';

const kPlainRule = { seed: 0, window: 0, logitScale: 1, logitShift: 0 };

describe('load', () => {
  const load = (source: string | PairOptions | undefined, options?: PairOptions, behaviour: FakeBehaviour = {}) => {
    const addon = new FakeAddon(behaviour);
    return openPair(source, options, () => addon).then(async (saferoute) => {
      await saferoute.close();
      return { saferoute, config: addon.engine.config };
    });
  };

  it('takes the parts of a pair', async () => {
    const { saferoute, config } = await load({
      ...kPair,
      unsafeAt: 0.7,
      threads: 3,
      memory: { limit: 6, kv: 9 },
      batch: { tokens: 6, rows: 7, ms: 10, maxWait: 11 },
      precision: 'f32',
      limits: { queueRequests: 8 },
    });
    assert.equal(saferoute.small.dir, kLlamaGuard);
    assert.equal(saferoute.large?.dir, kQwenGuard);
    assert.deepEqual([saferoute.small.family, saferoute.large?.family], ['llama-guard-3', 'qwen3guard-gen']);
    assert.deepEqual(
      [saferoute.small.hiddenSize, saferoute.small.contextTokens, saferoute.small.vocabSize],
      [48, 512, 525],
    );
    assert.equal(saferoute.unsafeAt, 0.7);
    const { escalation, queueRequests, batchTokens, batchRows, memoryLimit, threads, small, large } = config;
    assert.deepEqual([queueRequests, batchTokens, batchRows, memoryLimit, threads], [8, 6, 7, 6, 3]);
    assert.deepEqual([config.batchMs, config.maxWaitMs], [10, 11]);
    for (const guard of [small, large]) {
      assert.deepEqual([guard?.precision, guard?.kvBytes, guard?.weightCache], ['f32', 9, null]);
    }
    assert.deepEqual([saferoute.small.precision, saferoute.large?.precision], ['f32', 'f32']);
    assert.deepEqual(escalation, { kind: 'router', threshold: 0.5, ...kPlainRule });
    assert.equal(small.verdictIds.length, 2);
    assert.deepEqual([large?.verdictUnsafe, large?.router], [[false, true, true], null]);
    assert.ok(small.router !== null && small.tensors.length > 0);
  });

  it('reads saferoute.json, and options override it', async (context) => {
    const dir = scratchFolder(context);
    const filed = {
      small: kLlamaGuard,
      large: kQwenGuard,
      router: kCardRouter,
      escalation: { kind: 'entropy' },
      unsafeAt: 0.4,
    };
    writeFileSync(join(dir, 'saferoute.json'), JSON.stringify(filed));
    const plain = await load(dir);
    assert.deepEqual(plain.saferoute.escalation, { kind: 'entropy', threshold: 0.5 });
    assert.equal(plain.saferoute.unsafeAt, 0.4);
    const changed = await load(dir, { escalation: { kind: 'router' }, unsafeAt: 0.6, large: kLlamaGuard8b });
    assert.deepEqual(changed.saferoute.escalation, { kind: 'router', threshold: 0.6 });
    assert.equal(changed.saferoute.unsafeAt, 0.6);
    assert.equal(changed.saferoute.large?.dir, kLlamaGuard8b);
    const alone = await load(dir, { large: null });
    assert.deepEqual(
      [alone.saferoute.large, alone.saferoute.escalation, alone.config.large],
      [null, { kind: 'never' }, null],
    );
  });

  it('is the embedded pair without a source, and with options alone', async () => {
    for (const { saferoute } of [
      await load(undefined, { escalation: { kind: 'never' } }),
      await load({ escalation: { kind: 'never' } }),
    ]) {
      assert.match(saferoute.small.dir, /models.tiny.small$/);
      assert.deepEqual(saferoute.escalation, { kind: 'never' });
    }
  });

  it('refuses a source and options that are not what they must be', async () => {
    const refuses = (source: unknown, options: unknown, ...named: string[]) =>
      assert.rejects(load(source as string, options as PairOptions), coded('ERR_INVALID_ARG_TYPE', ...named));
    await refuses(null, undefined, 'source', 'null');
    await refuses(5, undefined, 'source', '5');
    await refuses([kLlamaGuard], undefined, 'source', 'an array of 1');
    await refuses([], undefined, 'source', 'an array of 0');
    for (const source of [undefined, kLlamaGuard, kPair]) {
      await refuses(source, 'f32', 'options', "'f32'");
      await refuses(source, null, 'options', 'null');
      await refuses(source, [], 'options', 'an array of 0');
    }
    await refuses({ ...kPair, ecsalation: { kind: 'never' } }, undefined, "did you mean 'escalation'");
  });

  it("takes the threshold of the router's kind, and every rule's defaults", async () => {
    const rule = async (options: PairOptions) => (await load({ ...kPair, ...options })).saferoute.escalation;
    assert.deepEqual(await rule({ router: kCardRouter }), { kind: 'router', threshold: 0.6 });
    assert.deepEqual(await rule({ router: kCardRouter, escalation: { kind: 'router', threshold: 0.1 } }), {
      kind: 'router',
      threshold: 0.1,
    });
    assert.deepEqual(await rule({ escalation: { kind: 'entropy' } }), { kind: 'entropy', threshold: 0.5 });
    assert.deepEqual(await rule({ escalation: { kind: 'random' } }), { kind: 'random', rate: 0.5, seed: 0 });
    const { config } = await load({ ...kPair, escalation: { kind: 'random', rate: 0.2, seed: 9 } });
    assert.deepEqual(config.escalation, { ...kPlainRule, kind: 'random', threshold: 0.2, seed: 9 });
  });

  it('refuses a rule that the pair has no parts for', async () => {
    await assert.rejects(load({ ...kPair, router: null }), coded('ERR_SPEC', 'without a router', 'entropy'));
    await assert.rejects(
      load({ ...kPair, router: null, escalation: { kind: 'router' } }),
      coded('ERR_SPEC', 'needs a router'),
    );
    await assert.rejects(
      load({ ...kPair, large: null, escalation: { kind: 'always' } }),
      coded('ERR_SPEC', "'always'", 'large guard'),
    );
  });

  it('refuses a router that is not as wide as the guard, naming both', async () => {
    await assert.rejects(load({ ...kPair, router: kWideRouter }), coded('ERR_CHECKPOINT', '64', '48'));
  });

  it('refuses what is not there or not decided', async (context) => {
    await assert.rejects(load('/nowhere/at/all'), coded('ERR_CHECKPOINT', '/nowhere/at/all'));
    await assert.rejects(load({ ...kPair, small: '/nowhere' }), coded('ERR_CHECKPOINT', '/nowhere'));
    await assert.rejects(load({ ...kPair, small: kDynaGuard }), coded('ERR_SPEC', 'cannot tell', "'dynaguard'"));
    await assert.rejects(
      load({ ...kPair, small: { dir: kLlamaGuard, guard: 'dynaguard' } }),
      coded('ERR_SPEC', 'system text', 'model card'),
    );
    await assert.rejects(
      load({ ...kPair, guard: { verdict: { safe: 'harmless', unsafe: 'unsafe' } } }),
      coded('ERR_SPEC', "'harmless'"),
    );
    await assert.rejects(load(5 as unknown as string), coded('ERR_INVALID_ARG_TYPE', 'source'));
    await assert.rejects(
      load({ ...kPair, treads: 1 } as PairOptions),
      coded('ERR_INVALID_ARG_TYPE', "did you mean 'threads'"),
    );
    const dir = scratchFolder(context);
    writeFileSync(join(dir, 'saferoute.json'), '{ "small": 5 }');
    await assert.rejects(load(dir), coded('ERR_SPEC', 'small'));
  });

  it('holds both guards together to the memory limit', async () => {
    await assert.rejects(load({ ...kPair, memory: { limit: 5 } }), coded('ERR_MEMORY', 'the limit is'));
    await load({ ...kPair, large: null, memory: { limit: 5 } });
  });

  it('gives up its thread where native code refuses, and passes the error on', async () => {
    const loadError = nativeError('ERR_MEMORY', 'needs 32 GB, 4 GB are there');
    await assert.rejects(load(kPair, undefined, { loadError }), coded('ERR_MEMORY', '32 GB'));
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((name) => name === 'MessagePort'),
      [],
    );
  });

  it('never throws at its caller', async () => {
    assert.ok(openPair({ threads: -1 }, undefined, () => new FakeAddon()).catch(() => {}) instanceof Promise);
    const failing = openPair(kPair, undefined, () => {
      throw new Error('no binary');
    });
    await assert.rejects(failing, /no binary/);
  });
});

describe('check', () => {
  it("is the small guard's verdict where the row is easy", async (context) => {
    const { saferoute, engine } = await fakePair(context, { ...kLongIsHard, score: () => 0.75 });
    const verdict = await saferoute.check(kEasy, { id: 'row-1' });
    assert.deepEqual(
      [verdict.id, verdict.label, verdict.route, verdict.score, verdict.hardness],
      ['row-1', 'unsafe', 'small', 0.75, 0.1],
    );
    assert.equal(verdict.large, null);
    assert.equal(verdict.small.score, 0.75);
    assert.ok(!('feature' in verdict.small));
    assert.deepEqual(verdict.tokens, {
      prompt: engine.submissions[0]?.smallIds?.length,
      cached: 0,
      computed: engine.submissions[0]?.smallIds?.length,
    });
    assert.ok(verdict.timing.total_ms > 0);
  });

  it("is the large guard's where it is hard, and both guards get their own prompt", async (context) => {
    const { saferoute, engine } = await fakePair(context, kLongIsHard);
    const verdict = await saferoute.check({ prompt: kHard, response: 'Yes.' });
    assert.deepEqual(
      [verdict.label, verdict.route, verdict.score, verdict.small.score, verdict.large?.score],
      ['unsafe', 'large', 0.75, 0.25, 0.75],
    );
    assert.ok(!('id' in verdict));
    const [submission] = engine.submissions;
    assert.equal(submission?.target, 'cascade');
    assert.notDeepEqual(submission?.smallIds, submission?.largeIds);
  });

  it('is unsafe above unsafeAt, not at it', async (context) => {
    const label = async (score: number, unsafeAt: number) =>
      (await (await fakePair(context, { score: () => score }, { ...kPair, unsafeAt })).saferoute.check(kEasy)).label;
    assert.deepEqual(
      [await label(0.5, 0.5), await label(0.51, 0.5), await label(0.75, 0.75), await label(0.1, 0)],
      ['safe', 'unsafe', 'safe', 'unsafe'],
    );
  });

  it('gives the large guard no prompt where no rule asks it, and none of its own where it is the same', async (context) => {
    const never = await fakePair(context, {}, { ...kPair, escalation: { kind: 'never' } });
    await never.saferoute.check(kEasy);
    assert.equal(never.engine.submissions[0]?.largeIds, null);
    const twins = await fakePair(
      context,
      {},
      { small: kLlamaGuard, large: kLlamaGuard, escalation: { kind: 'always' } },
    );
    assert.equal((await twins.saferoute.check(kEasy)).route, 'large');
    assert.equal(twins.engine.submissions[0]?.largeIds, null);
  });

  it('rejects with what is wrong with the input, and goes on', async (context) => {
    const { saferoute, engine } = await fakePair(context, {}, { ...kPair, limits: { inputBytes: 1000 } });
    for (const [input, code] of [
      ['', 'ERR_INPUT'],
      [[], 'ERR_INPUT'],
      ['\ud800', 'ERR_INPUT'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      ['x'.repeat(1001), 'ERR_INPUT_TOO_LARGE'],
      ['x'.repeat(10 << 20), 'ERR_INPUT_TOO_LARGE'],
      [{ prompt: 'a', rules: 'b' }, 'ERR_INPUT'],
      ['ab '.repeat(300), 'ERR_CONTEXT_LENGTH'],
      [
        [
          { role: 'user', content: 'a' },
          { role: 'user', content: 'b' },
        ],
        'ERR_INPUT',
      ],
    ] as [Input, string][]) {
      await assert.rejects(saferoute.check(input), coded(code));
    }
    assert.equal(engine.submissions.length, 0);
    assert.equal((await saferoute.check(kEasy)).label, 'safe');
  });

  it('rejects with wrong options', async (context) => {
    const { saferoute } = await fakePair(context);
    await assert.rejects(saferoute.check(kEasy, { id: 5 } as never), coded('ERR_INVALID_ARG_TYPE', 'options.id'));
    await assert.rejects(
      saferoute.check(kEasy, { signal: {} } as never),
      coded('ERR_INVALID_ARG_TYPE', 'options.signal'),
    );
    await assert.rejects(saferoute.check(kEasy, null as never), coded('ERR_INVALID_ARG_TYPE', 'options'));
  });

  it('rejects with the error of the engine, at submission or later', async (context) => {
    const full = await fakePair(context, {
      submitError: nativeError('ERR_OVERLOADED', 'the queue holds 1024 requests'),
    });
    await assert.rejects(full.saferoute.check(kEasy), coded('ERR_OVERLOADED', '1024'));
    const held = await fakePair(context, { held: true });
    const failing = held.saferoute.check(kEasy);
    await until(() => held.engine.submissions.length === 1);
    const going = held.saferoute.check(kEasy);
    await until(() => held.engine.submissions.length === 2);
    held.engine.emit([{ kind: 'error', ticket: 1, code: 'ERR_NOT_FINITE', message: 'a logit is NaN' }]);
    await assert.rejects(failing, coded('ERR_NOT_FINITE', 'NaN'));
    held.engine.answer(2);
    assert.equal((await going).label, 'safe');
  });

  it('reports what was cut away', async (context) => {
    const { saferoute } = await fakePair(context, {}, { ...kPair, overlong: 'truncate' });
    assert.ok(((await saferoute.check('ab '.repeat(600))).tokens.truncated ?? 0) > 0);
    assert.equal((await saferoute.check(kEasy)).tokens.truncated, undefined);
  });
});

describe('close', () => {
  it('rejects what waits anywhere, and everything after, with ERR_CLOSED', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const inEngine = saferoute.check(kEasy);
    await until(() => engine.submissions.length === 1);
    const inTokenizer = saferoute.check(kEasy);
    const reading = saferoute.small.read([1]);
    const routed = saferoute.route(new Float32Array(48));
    const closing = saferoute.close();
    for (const promise of [inEngine, inTokenizer, reading, routed]) await assert.rejects(promise, coded('ERR_CLOSED'));
    await closing;
    await saferoute.close();
    assert.equal(engine.closes, 1);
    await assert.rejects(saferoute.check(kEasy), coded('ERR_CLOSED'));
    await assert.rejects(saferoute.small.score(kEasy), coded('ERR_CLOSED'));
    await assert.rejects(saferoute.stages(kEasy).next(), coded('ERR_CLOSED'));
    await assert.rejects(saferoute.checkAll([kEasy]).next(), coded('ERR_CLOSED'));
  });

  it('is what disposing does', async () => {
    const addon = new FakeAddon();
    const saferoute = await openPair(kPair, undefined, () => addon);
    await saferoute[Symbol.asyncDispose]();
    assert.equal(addon.engine.closes, 1);
  });
});

describe('route', () => {
  it('gives the hardness of a feature, on this thread where it can be had here', async (context) => {
    const feature = new Float32Array(48).fill(0.25);
    const queued = await fakePair(context);
    assert.equal(await queued.saferoute.route(feature), 0.25);
    assert.deepEqual(queued.engine.features, [feature]);
    const here = await fakePair(context, { routesHere: true });
    assert.equal(await here.saferoute.route(feature), 0.25);
    assert.deepEqual(here.engine.features, []);
  });

  it('rejects with the error of a router that is asked here, and once the pair is closing', async (context) => {
    const failing = await fakePair(context, { routeError: nativeError('ERR_NOT_FINITE', 'the hardness is nan') });
    await assert.rejects(failing.saferoute.route(new Float32Array(48)), coded('ERR_NOT_FINITE', 'nan'));
    const { saferoute } = await fakePair(context, { routesHere: true });
    const closing = saferoute.close();
    await assert.rejects(saferoute.route(new Float32Array(48)), coded('ERR_CLOSED'));
    await closing;
  });

  it('refuses what is not a feature of the small guard', async (context) => {
    const { saferoute } = await fakePair(context);
    await assert.rejects(saferoute.route([0.5] as never), coded('ERR_INVALID_ARG_TYPE', 'feature'));
    await assert.rejects(saferoute.route(new Float32Array(47)), coded('ERR_INPUT', '47', '48'));
    const without = await fakePair(context, {}, { ...kPair, router: null, escalation: { kind: 'always' } });
    await assert.rejects(without.saferoute.route(new Float32Array(48)), coded('ERR_UNSUPPORTED', 'no router'));
    assert.equal((await without.saferoute.check(kEasy)).hardness, null);
  });
});

describe('diagnostics_channel', () => {
  const listen = (context: TestContext, name: string) => {
    const heard: Record<string, unknown>[] = [];
    const listener = (message: unknown) => heard.push(message as Record<string, unknown>);
    diagnostics_channel.subscribe(name, listener);
    context.after(() => diagnostics_channel.unsubscribe(name, listener));
    return heard;
  };

  it('tells of loads, verdicts and errors, without a text', async (context) => {
    const [loads, verdicts, errors] = ['load', 'verdict', 'error'].map((name) => listen(context, `saferoute:${name}`));
    const { saferoute } = await fakePair(context);
    const verdict = await saferoute.check('my secret', { id: 'a' });
    const failure = await saferoute.check('', { id: 'b' }).catch((error: unknown) => error);
    assert.deepEqual(
      loads?.map(({ small, large, router }) => [small, large, router]),
      [[kLlamaGuard, kQwenGuard, kOfficialRouter]],
    );
    assert.deepEqual(verdicts, [{ verdict }]);
    assert.deepEqual(errors, [{ id: 'b', error: failure }]);
    assert.ok(!JSON.stringify([loads, verdicts, errors]).includes('secret'));
  });
});
