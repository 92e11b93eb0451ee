// Many rows: order, back-pressure to both sides, errors of one row, and every way of leaving.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { CheckAllOptions, Row } from '../../lib/options.js';
import type { FakeSubmission } from './fake-addon.js';
import { fakePair, kEasy, kPair, until } from './fixture-pairs.js';
import { coded } from './rejected.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ prompt: kEasy, id: `${index}` }));
const ids = (count: number) => rows(count).map(({ id }) => id);

const lengthOf = ({ smallIds }: FakeSubmission) => smallIds?.length ?? 0;

/** Rows that count how many were taken, and whether the end was told. */
function counted(count: number) {
  const seen = { taken: 0, returned: false };
  const source: AsyncIterable<Row> = {
    [Symbol.asyncIterator]: () => ({
      next: async () =>
        seen.taken < count
          ? { done: false, value: rows(count)[seen.taken++] as Row }
          : { done: true, value: undefined },
      return: async () => {
        seen.returned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  return { seen, source };
}

describe('checkAll', () => {
  it('judges rows of any form and any iterable, in their order', async (context) => {
    const { saferoute } = await fakePair(context);
    assert.deepEqual(
      (await all(saferoute.checkAll(rows(200)))).map(({ id }) => id),
      ids(200),
    );
    async function* produce() {
      yield kEasy;
      yield [{ role: 'user' as const, content: kEasy }];
      yield { prompt: kEasy, response: kEasy, id: 'c' };
    }
    assert.deepEqual(
      (await all(saferoute.checkAll(produce()))).map(({ id }) => id),
      [undefined, undefined, 'c'],
    );
    assert.equal((await all(saferoute.checkAll(new Set([kEasy, `${kEasy} `])))).length, 2);
    assert.equal((await all(saferoute.checkAll([Promise.resolve(kEasy)] as unknown as Row[]))).length, 1);
    assert.deepEqual(await all(saferoute.checkAll([])), []);
  });

  it('gives each as it is done where the order does not matter, and in order all the same where it does', async (context) => {
    for (const [ordered, expected] of [
      [false, ['2', '0', '1']],
      [true, ['0', '1', '2']],
    ] as const) {
      const { saferoute, engine } = await fakePair(context, { held: true });
      const prompts = ['One.', 'One and two.', 'One and two and three.'];
      const verdicts = all(
        saferoute.checkAll(
          prompts.map((prompt, index) => ({ prompt, id: `${index}` })),
          { ordered },
        ),
      );
      await until(() => engine.submissions.length === 3);
      const tickets = engine.submissions.toSorted((a, b) => lengthOf(a) - lengthOf(b)).map(({ ticket }) => ticket);
      for (const index of [2, 0, 1]) {
        engine.answer(tickets[index] ?? assert.fail());
        await turn();
      }
      assert.deepEqual(
        (await verdicts).map(({ id }) => id),
        expected,
      );
    }
  });

  it('submits in the order of the rows where a seeded coin is thrown for each', async (context) => {
    const prompts = Array.from({ length: 60 }, (_, index) =>
      index % 3 ? 'x'.repeat(index) : 'No two words here. '.repeat(9 + (index % 7)),
    );
    const { saferoute, engine } = await fakePair(context, {}, { ...kPair, escalation: { kind: 'random' } });
    const short = saferoute.check('x');
    const settled = await all(saferoute.checkAll([...prompts, '', 'last'], { settled: true }));
    await short;
    assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 61);
    const lengths = engine.submissions.slice(1, -1).map(lengthOf);
    const alone = await fakePair(context);
    for (const prompt of prompts) await alone.saferoute.check(prompt);
    assert.deepEqual(lengths, alone.engine.submissions.map(lengthOf));
  });

  it('takes no more rows than are in flight or waiting to be taken', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const { seen, source } = counted(20);
    const verdicts = saferoute.checkAll(source, { concurrency: 4 });
    await turn();
    assert.equal(seen.taken, 0, 'nothing is taken before it is asked for');
    const first = verdicts.next();
    await until(() => engine.submissions.length === 4);
    for (let quiet = 0; quiet < 20; quiet++) await turn();
    assert.equal(seen.taken, 4);
    for (const ticket of [1, 2, 3, 4]) engine.answer(ticket);
    assert.equal((await first).value?.id, '0');
    for (let quiet = 0; quiet < 20; quiet++) await turn();
    assert.equal(seen.taken, 5, 'one was taken out, so one more came in: three verdicts still wait');
    await verdicts.return();
  });

  it('has no more in flight than the queue holds, so that it never fills it up by itself', async (context) => {
    const options = { ...kPair, limits: { queueRequests: 3 } };
    const { saferoute, engine } = await fakePair(context, { held: true }, options);
    const { seen, source } = counted(20);
    const verdicts = saferoute.checkAll(source, { concurrency: 10 });
    const first = verdicts.next();
    await until(() => engine.submissions.length >= 3);
    for (let quiet = 0; quiet < 20; quiet++) await turn();
    assert.equal(seen.taken, 3);
    for (const { ticket } of [...engine.submissions]) engine.answer(ticket);
    assert.equal((await first).value?.id, '0');
    await verdicts.return();
  });

  it('goes on while the caller is busy with a verdict', async (context) => {
    const { saferoute, engine } = await fakePair(context);
    const verdicts = saferoute.checkAll(rows(10), { concurrency: 4 });
    await verdicts.next();
    await until(() => engine.submissions.length === 5);
    await verdicts.return();
  });

  it('ends with the first error that comes up, gives up the rest, and tells the source', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const { seen, source } = counted(5);
    async function* spoiled() {
      yield { prompt: '', id: 'bad' };
      yield* source;
    }
    const verdicts = saferoute.checkAll(spoiled(), { ordered: false });
    await assert.rejects(verdicts.next(), coded('ERR_INPUT', 'input.prompt is empty'));
    assert.equal((await verdicts.next()).done, true);
    assert.ok(seen.taken === 0 || seen.returned);
    const [before] = [engine.submissions.length];
    await turn();
    assert.equal(engine.submissions.length, before);
  });

  it('settles every row on its own where asked to', async (context) => {
    const { saferoute } = await fakePair(context);
    const mixed = [{ prompt: 'a', id: 'x' }, '', { prompt: 'b', id: 5 }, '\ud800', { prompt: 'c' }] as unknown as Row[];
    const settled = await all(saferoute.checkAll(mixed, { settled: true }));
    assert.deepEqual(
      settled.map(({ status, index, id }) => [status, index, id]),
      [
        ['fulfilled', 0, 'x'],
        ['rejected', 1, undefined],
        ['rejected', 2, undefined],
        ['rejected', 3, undefined],
        ['fulfilled', 4, undefined],
      ],
    );
    const errors = settled.flatMap((row) => (row.status === 'rejected' ? [row.error] : []));
    const codes = ['ERR_INPUT', 'ERR_INVALID_ARG_TYPE', 'ERR_INPUT'];
    for (const [place, code] of codes.entries()) coded(code)(errors[place]);
  });

  it('takes what a row throws when it is read for an error of that row', async (context) => {
    const { saferoute } = await fakePair(context);
    const broken = {
      get prompt(): string {
        throw new Error('a getter of the caller');
      },
    };
    const settled = await all(saferoute.checkAll([kEasy, broken, kEasy], { settled: true }));
    assert.deepEqual(
      settled.map(({ status, index }) => [status, index]),
      [
        ['fulfilled', 0],
        ['rejected', 1],
        ['fulfilled', 2],
      ],
    );
    await assert.rejects(all(saferoute.checkAll([broken])), /a getter of the caller/);
  });

  it('passes on what the source throws, after the rows before it', async (context) => {
    const { saferoute } = await fakePair(context);
    async function* breaking() {
      yield* rows(3);
      throw new Error('the file ended early');
    }
    for (const settled of [false, true]) {
      const seen: unknown[] = [];
      const reading = (async () => {
        for await (const row of saferoute.checkAll(breaking(), { settled })) seen.push(row);
      })();
      await assert.rejects(reading, /the file ended early/);
      assert.equal(seen.length, 3);
    }
  });

  it('stops at an abort, wherever it waits', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    for (const source of [
      rows(3),
      (async function* () {
        await new Promise(() => {});
        yield kEasy;
      })(),
    ]) {
      const controller = new AbortController();
      const verdicts = saferoute.checkAll(source, { signal: controller.signal, settled: true });
      const first = verdicts.next();
      await turn();
      controller.abort('enough');
      await assert.rejects(first, (error: Error) => coded('ERR_ABORTED')(error) && error.cause === 'enough');
    }
    assert.equal(engine.cancelled.length, engine.submissions.length);
    await assert.rejects(saferoute.checkAll(rows(1), { signal: AbortSignal.abort() }).next(), coded('ERR_ABORTED'));
  });

  it('gives up what is in flight where the caller leaves the loop', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const { seen, source } = counted(20);
    const leaving = (async () => {
      for await (const _ of saferoute.checkAll(source, { concurrency: 4, ordered: false })) break;
    })();
    await until(() => engine.submissions.length === 4);
    engine.answer(1);
    await leaving;
    assert.ok(seen.returned);
    assert.deepEqual(
      engine.cancelled.filter((ticket) => ticket <= 4).sort(), // which row has which ticket is up to the tokenizer
      [2, 3, 4],
    );
    await turn();
    assert.ok(seen.taken <= 5);
  });

  it('rejects at its first step with what is wrong, and throws nothing before', async (context) => {
    const { saferoute } = await fakePair(context);
    const refuses = (source: unknown, options: unknown, code: string, ...named: string[]) =>
      assert.rejects(saferoute.checkAll(source as Row[], options as CheckAllOptions).next(), coded(code, ...named));
    for (const source of [undefined, null, 5, 'text', {}])
      await refuses(source, undefined, 'ERR_INVALID_ARG_TYPE', 'rows');
    await refuses([], { concurrency: 0 }, 'ERR_OUT_OF_RANGE', 'options.concurrency');
    await refuses([], { concurrency: '4' }, 'ERR_INVALID_ARG_TYPE', 'options.concurrency');
    await refuses([], { ordered: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.ordered');
    await refuses([], { settled: 'yes' }, 'ERR_INVALID_ARG_TYPE', 'options.settled');
    await refuses([], { signal: 5 }, 'ERR_INVALID_ARG_TYPE', 'options.signal');
    await refuses([], { order: true }, 'ERR_INVALID_ARG_TYPE', "did you mean 'ordered'");
  });

  it('takes a great many rows without growing', async (context) => {
    const { saferoute } = await fakePair(context);
    let count = 0;
    for await (const _ of saferoute.checkAll(rows(1500), { ordered: false })) count++;
    assert.equal(count, 1500);
  });
});
