// Requests that their callers give up, wherever they are.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { AbortError } from '../../lib/errors.js';
import { fakePair, kEasy, until } from './fixture-pairs.js';
import { coded } from './rejected.js';

describe('an abort', () => {
  const reason = new Error('the client went away');

  it('rejects at once with an AbortError whose cause is the reason', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    await assert.rejects(saferoute.check(kEasy, { signal: AbortSignal.abort(reason) }), (error) => {
      assert.ok(error instanceof AbortError);
      assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ERR_ABORTED', reason]);
      return true;
    });
    assert.equal(engine.submissions.length, 0);
  });

  it('drops the request while it waits for the tokenizer', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const controller = new AbortController();
    const dropped = saferoute.check(kEasy, { signal: controller.signal });
    const kept = saferoute.check(kEasy);
    controller.abort(reason);
    await assert.rejects(dropped, coded('ERR_ABORTED'));
    await until(() => engine.submissions.length === 1);
    engine.answer(1);
    await kept;
    assert.deepEqual([engine.submissions.length, engine.cancelled], [1, []]);
  });

  it('drops the request while it is in the engine, and what comes of it later is nobody’s', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const controller = new AbortController();
    const dropped = saferoute.check(kEasy, { signal: controller.signal });
    await until(() => engine.submissions.length === 1);
    controller.abort();
    await assert.rejects(dropped, coded('ERR_ABORTED'));
    assert.deepEqual(engine.cancelled, [1]);
    engine.emit([{ kind: 'error', ticket: 1, code: 'ERR_ABORTED', message: 'late' }]);
  });

  it('of one signal reaches every request under it, without a warning of Node, and no other', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    context.after(() => process.off('warning', onWarning));
    const controller = new AbortController();
    const dropped = Array.from({ length: 30 }, () => saferoute.check(kEasy, { signal: controller.signal }));
    const kept = saferoute.check('Keep me.', { signal: new AbortController().signal });
    const outcomes = Promise.all(dropped.map((promise) => assert.rejects(promise, coded('ERR_ABORTED'))));
    await until(() => engine.submissions.length === 31);
    controller.abort();
    await outcomes;
    const last = engine.submissions.find(({ ticket }) => !engine.cancelled.includes(ticket));
    engine.answer(last?.ticket ?? assert.fail());
    assert.equal((await kept).label, 'safe');
    assert.equal(engine.cancelled.length, 30);
    assert.deepEqual(warnings, []);
  });

  it('of one signal reaches any number of moderations, stages and runs of rows as well, with one listener', async (context) => {
    const { saferoute } = await fakePair(context, { held: true });
    const controller = new AbortController();
    const { signal } = controller;
    const steps = Array.from({ length: 20 }, (): Promise<unknown>[] => [
      saferoute.moderate([kEasy], { messages: kEasy, signal }).next(),
      saferoute.stages(kEasy, { signal }).next(),
      saferoute.checkAll([kEasy], { signal }).next(),
    ]).flat();
    const outcomes = Promise.all(steps.map((step) => assert.rejects(step, coded('ERR_ABORTED'))));
    assert.equal(getEventListeners(signal, 'abort').length, 1);
    controller.abort();
    await outcomes;
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  it('after the verdict changes nothing and leaves no listener behind', async (context) => {
    const { saferoute, engine } = await fakePair(context);
    const controller = new AbortController();
    const removed: string[] = [];
    const remove = controller.signal.removeEventListener.bind(controller.signal);
    controller.signal.removeEventListener = ((type: string, listener: () => void) => {
      removed.push(type);
      remove(type, listener);
    }) as typeof controller.signal.removeEventListener;
    const verdict = await saferoute.check(kEasy, { signal: controller.signal });
    controller.abort();
    assert.equal(verdict.label, 'safe');
    assert.deepEqual([removed, engine.cancelled], [['abort'], []]);
  });
});
