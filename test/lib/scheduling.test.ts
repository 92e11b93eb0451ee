// Who goes first and how long a request may take: what native code is told, and what happens when the time is over.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { CheckAllOptions, CheckOptions } from '../../lib/options.js';
import { fakePair, kEasy, until } from './fixture-pairs.js';
import { coded } from './rejected.js';

const kLongest = 2 ** 31 - 1;

/** Time passes only when the test says so. */
function ownClock(context: TestContext) {
  let nowMs = Math.ceil(performance.now()); // whole, so that sums are exact
  context.mock.method(performance, 'now', () => nowMs);
  context.mock.timers.enable({ apis: ['setTimeout'] });
  return {
    pass: (ms: number) => {
      nowMs += ms;
      context.mock.timers.tick(ms);
    },
    /** As on a busy event loop: the time has come, but not the turn of the timers. */
    passUnnoticed: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe('priority', () => {
  it('is interactive for one check and bulk for many, unless the caller says otherwise', async (context) => {
    const { saferoute, engine } = await fakePair(context);
    const all = async (options?: CheckAllOptions) => {
      for await (const _ of saferoute.checkAll([kEasy], options));
    };
    await saferoute.check(kEasy);
    await saferoute.check(kEasy, { priority: 'bulk' });
    await all();
    await all({ priority: 'interactive' });
    for await (const _ of saferoute.stages(kEasy, { priority: 'bulk' }));
    await saferoute.small.score(kEasy);
    await saferoute.small.score(kEasy, { priority: 'bulk' });
    await saferoute.small.read([1], { priority: 'bulk' });
    assert.deepEqual(
      engine.submissions.map(({ bulk }) => bulk),
      [false, true, true, false, true, false, true, true],
    );
  });

  it('is one of two', async (context) => {
    const { saferoute } = await fakePair(context);
    const check = (priority: unknown) => saferoute.check(kEasy, { priority } as CheckOptions);
    await assert.rejects(check('high'), coded('ERR_OUT_OF_RANGE', 'options.priority', "'high'", "'bulk'"));
    await assert.rejects(check(1), coded('ERR_INVALID_ARG_TYPE', 'options.priority', '1'));
    await assert.rejects(
      saferoute.checkAll([kEasy], { priority: 'low' } as never).next(),
      coded('ERR_OUT_OF_RANGE', "'low'"),
    );
  });
});

describe('a deadline', () => {
  it('reaches native code as what is left of it, and is none where the caller sets none', async (context) => {
    const clock = ownClock(context);
    const { saferoute, engine } = await fakePair(context);
    const checked = saferoute.check(kEasy, { deadline: 500 });
    clock.pass(100);
    await checked;
    await saferoute.check(kEasy);
    await saferoute.small.read([1], { deadline: kLongest });
    assert.deepEqual(
      engine.submissions.map(({ deadlineMs }) => deadlineMs),
      [400, null, kLongest],
    );
  });

  it('settles a request that is in the engine, and drops it there', async (context) => {
    const clock = ownClock(context);
    const { saferoute, engine } = await fakePair(context, { held: true });
    const late = saferoute.check(kEasy, { deadline: 500 });
    const kept = saferoute.check(kEasy, { deadline: 501 });
    await until(() => engine.submissions.length === 2);
    clock.pass(500);
    await assert.rejects(late, coded('ERR_DEADLINE', '500 ms'));
    const dropped = engine.submissions.find(({ deadlineMs }) => deadlineMs === 500);
    assert.deepEqual(engine.cancelled, [dropped?.ticket]);
    engine.answer(dropped?.ticket === 1 ? 2 : 1);
    assert.equal((await kept).label, 'safe');
  });

  it('settles a request that waits for the tokenizer, and it never comes to the engine', async (context) => {
    const clock = ownClock(context);
    const { saferoute, engine } = await fakePair(context, { held: true });
    const late = saferoute.check(kEasy, { deadline: 500 });
    clock.pass(500);
    await assert.rejects(late, coded('ERR_DEADLINE'));
    const kept = saferoute.check(kEasy);
    await until(() => engine.submissions.length === 1);
    engine.answer(1);
    await kept;
    assert.equal(engine.submissions.length, 1);
  });

  it('is kept where the event loop comes to the tokenizer’s answer first', async (context) => {
    const clock = ownClock(context);
    const { saferoute, engine } = await fakePair(context);
    const late = saferoute.check(kEasy, { deadline: 500 });
    clock.passUnnoticed(500);
    await assert.rejects(late, coded('ERR_DEADLINE'));
    assert.equal(engine.submissions.length, 0);
  });

  it('of 0 has passed at the call', async (context) => {
    const { saferoute, engine } = await fakePair(context);
    await assert.rejects(saferoute.check(kEasy, { deadline: 0 }), coded('ERR_DEADLINE', '0 ms'));
    assert.equal(engine.submissions.length, 0);
  });

  it('is the same error where native code says so first', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const late = saferoute.check(kEasy, { deadline: kLongest });
    await until(() => engine.submissions.length === 1);
    engine.emit([{ kind: 'error', ticket: 1, code: 'ERR_DEADLINE', message: 'the deadline has passed' }]);
    await assert.rejects(late, coded('ERR_DEADLINE'));
    assert.deepEqual(engine.cancelled, []);
  });

  it('leaves no timer behind', async (context) => {
    const { saferoute } = await fakePair(context);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    await saferoute.check(kEasy, { deadline: kLongest });
    await assert.rejects(saferoute.check('', { deadline: kLongest }), coded('ERR_INPUT'));
    await assert.rejects(saferoute.check(kEasy, { deadline: kLongest, signal: AbortSignal.abort() }));
    assert.equal(timers(), before);
  });

  it('of many rows is that of each', async (context) => {
    const clock = ownClock(context);
    const { saferoute, engine } = await fakePair(context, { held: true });
    const rows = saferoute.checkAll(['a', 'b'], { deadline: 500, settled: true, concurrency: 1 });
    const first = rows.next();
    await until(() => engine.submissions.length === 1);
    clock.pass(500);
    const { value } = await first;
    assert.ok(value?.status === 'rejected');
    coded('ERR_DEADLINE')(value.error);
    const second = rows.next();
    await until(() => engine.submissions.length === 2);
    assert.equal(engine.submissions[1]?.deadlineMs, 500);
    engine.answer(2);
    assert.equal((await second).value?.status, 'fulfilled');
    await rows.return();
  });

  it('is a number of milliseconds that a timer can wait', async (context) => {
    const { saferoute } = await fakePair(context);
    const check = (deadline: unknown) => saferoute.check(kEasy, { deadline } as CheckOptions);
    for (const deadline of [-1, Number.NaN, kLongest + 1, Number.POSITIVE_INFINITY]) {
      await assert.rejects(
        check(deadline),
        coded('ERR_OUT_OF_RANGE', 'options.deadline', `${deadline}`, `${kLongest}`),
      );
    }
    await assert.rejects(check('soon'), coded('ERR_INVALID_ARG_TYPE', 'options.deadline', "'soon'"));
    await assert.rejects(check(null), coded('ERR_INVALID_ARG_TYPE', 'options.deadline', 'null'));
  });
});
