// A response judged while it is being written, over a judge that says what the test wants.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { Moderation, type ResponseJudge, UnsafeResponseError } from '../../lib/moderate.js';
import { type ModerateOptions, parseModerateOptions } from '../../lib/moderate-options.js';
import { TokenGauge } from '../../lib/token-gauge.js';
import type { Verdict } from '../../lib/verdict.js';
import { until } from './fixture-pairs.js';
import { coded } from './rejected.js';

const kUnsafeWord = 'bad';

/** A token is a word with the space before it. Unsafe is what holds kUnsafeWord. */
class WordJudge implements ResponseJudge {
  readonly judged: string[] = [];
  readonly signals: AbortSignal[] = [];
  /** Checks wait here where the test wants to answer them itself. */
  readonly held: (() => void)[] | null;
  failure: Error | null = null;
  /** Tokens that a guard did not read. */
  cut = 0;

  constructor(held = false) {
    this.held = held ? [] : null;
  }

  async judge(response: string, signal: AbortSignal): Promise<Verdict> {
    this.judged.push(response);
    this.signals.push(signal);
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    if (this.failure !== null) throw this.failure;
    const unsafe = response.includes(kUnsafeWord);
    const tokens = { prompt: 0, cached: 0, computed: 0, ...(this.cut > 0 ? { truncated: this.cut } : {}) };
    return { label: unsafe ? 'unsafe' : 'safe', score: unsafe ? 0.9 : 0.1, tokens } as Verdict;
  }

  async countTokens(text: string): Promise<number> {
    return text.split(' ').filter((word) => word !== '').length;
  }
}

/** Chunks that a test can count, and whose end it can see. */
class Source implements AsyncIterableIterator<string> {
  taken = 0;
  cancelled = false;

  constructor(readonly chunks: readonly string[]) {}

  async next(): Promise<IteratorResult<string>> {
    const value = this.chunks[this.taken];
    if (value === undefined) return { done: true, value: undefined };
    this.taken++;
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<string>> {
    this.cancelled = true;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function moderate(source: unknown, judge: ResponseJudge, options: Partial<ModerateOptions> = {}): Moderation {
  return new Moderation(source, () => ({ settings: parseModerateOptions({ messages: 'Hi', ...options }), judge }));
}

/** All text, and what ended it. */
async function drain(moderation: AsyncIterable<string>): Promise<{ text: string[]; error: unknown }> {
  const text: string[] = [];
  try {
    for await (const chunk of moderation) text.push(chunk);
    return { text, error: null };
  } catch (error) {
    return { text, error };
  }
}

const kWords = Array.from({ length: 10 }, (_, index) => ` word${index}`);

describe('a moderated response', () => {
  for (const hold of [true, false]) {
    describe(hold ? 'held back' : 'let through', () => {
      it('comes out whole where it is safe, with the verdict on all of it', async () => {
        const judge = new WordJudge();
        const moderation = moderate(new Source([...kWords.slice(0, 2), '', ...kWords.slice(2)]), judge, {
          every: 4,
          hold,
        });
        const { text, error } = await drain(moderation);
        assert.deepEqual([text.join(''), error], [kWords.join(''), null]);
        assert.equal((await moderation.verdict)?.label, 'safe');
        assert.deepEqual(
          judge.judged,
          [4, 8, 10].map((words) => kWords.slice(0, words).join('')),
        );
      });

      it('throws the verdict where it turns unsafe, and cancels the source', async () => {
        const source = new Source([...kWords.slice(0, 5), ` ${kUnsafeWord}`, ...kWords.slice(5)]);
        const moderation = moderate(source, new WordJudge(), { every: 2, hold });
        const { text, error } = await drain(moderation);
        assert.ok(error instanceof UnsafeResponseError && error.code === 'ERR_UNSAFE');
        assert.equal(error.verdict.score, 0.9);
        assert.equal(await moderation.verdict, error.verdict);
        assert.equal(source.cancelled, true);
        if (hold) assert.equal(text.join(''), kWords.slice(0, 4).join(''));
      });

      it('simply ends there where that is asked for', async () => {
        const source = new Source([...kWords, ` ${kUnsafeWord}`]);
        const moderation = moderate(source, new WordJudge(), { every: 4, hold, onUnsafe: 'end' });
        const { error } = await drain(moderation);
        assert.equal(error, null);
        assert.equal((await moderation.verdict)?.label, 'unsafe');
      });

      it('has no verdict where it is empty, and asks for none', async () => {
        const judge = new WordJudge();
        const moderation = moderate(new Source(['', '']), judge, { hold });
        assert.deepEqual((await drain(moderation)).text.join(''), '');
        assert.deepEqual([await moderation.verdict, judge.judged], [null, []]);
      });

      it('fails with the check that fails: never does an error count as safe', async () => {
        const judge = new WordJudge();
        judge.failure = Object.assign(new Error('no verdict'), { code: 'ERR_BACKEND' });
        const source = new Source(kWords);
        const moderation = moderate(source, judge, { every: 2, hold });
        const { text, error } = await drain(moderation);
        assert.equal(error, judge.failure);
        await assert.rejects(moderation.verdict, judge.failure);
        assert.equal(source.cancelled, true);
        if (hold) assert.deepEqual(text, []);
      });

      it('ends where a guard no longer reads all of it: what was cut away was not judged', async () => {
        const judge = new WordJudge();
        const source = new Source(kWords);
        const moderation = moderate(source, judge, { every: 2, hold });
        const first = await moderation.next();
        judge.cut = 5;
        const { text, error } = await drain(moderation);
        coded('ERR_CONTEXT_LENGTH', '5 tokens')(error);
        await assert.rejects(moderation.verdict, coded('ERR_CONTEXT_LENGTH'));
        assert.equal(source.cancelled, true);
        if (hold) assert.deepEqual([first.value, text], [kWords.slice(0, 2).join(''), []]);
      });

      it('gives the check and the source up where the reader leaves', async () => {
        const judge = new WordJudge();
        const source = new Source(kWords);
        const moderation = moderate(source, judge, { every: 2, hold });
        for await (const _ of moderation) break;
        assert.equal(source.cancelled, true);
        await assert.rejects(moderation.verdict, coded('ERR_ABORTED'));
        for (const signal of judge.signals) assert.equal(signal.aborted, true);
      });

      it('settles at once on an abort, though the source sleeps', async () => {
        const controller = new AbortController();
        const asleep = { next: () => new Promise<never>(() => {}), [Symbol.asyncIterator]: () => asleep };
        const moderation = moderate(asleep, new WordJudge(), { hold, signal: controller.signal });
        const next = moderation.next();
        controller.abort(new Error('enough'));
        await assert.rejects(next, coded('ERR_ABORTED'));
        await assert.rejects(moderation.verdict, coded('ERR_ABORTED'));
      });

      it('passes on the error of the source', async () => {
        const failure = new Error('the model went away');
        const failing = (async function* () {
          yield 'text';
          throw failure;
        })();
        assert.equal((await drain(moderate(failing, new WordJudge(), { hold }))).error, failure);
      });
    });
  }

  it('holds nothing back that was judged, and lets nothing go that was not', async () => {
    const judge = new WordJudge(true);
    const source = new Source(kWords);
    const moderation = moderate(source, judge, { every: 4 });
    const first = moderation.next();
    await until(() => judge.held?.length === 1);
    assert.equal(source.taken, 4, 'no more than `every` tokens are held');
    judge.held?.[0]?.();
    assert.equal((await first).value, kWords.slice(0, 4).join(''));
    await moderation.return();
  });

  it('lets no more than twice `every` tokens go ahead of the last verdict', async () => {
    const judge = new WordJudge(true);
    const moderation = moderate(new Source(kWords), judge, { every: 3, hold: false });
    const passed: string[] = [];
    const reading = (async () => {
      for await (const chunk of moderation) passed.push(chunk);
    })();
    await until(() => judge.held?.length === 1 && passed.length === 5);
    judge.held?.[0]?.();
    await until(() => judge.held?.length === 2);
    assert.equal(judge.judged[1], kWords.slice(0, 6).join(''));
    await moderation.return();
    await assert.rejects(reading, coded('ERR_ABORTED'));
  });

  it('ends a response that is let through while its source sleeps', async () => {
    const judge = new WordJudge(true);
    const asleep = (async function* () {
      yield ` ${kUnsafeWord}`;
      await new Promise(() => {});
    })();
    const moderation = moderate(asleep, judge, { every: 1, hold: false });
    await moderation.next();
    const next = moderation.next();
    judge.held?.[0]?.();
    await assert.rejects(next, coded('ERR_UNSAFE'));
  });

  it('leaves a source alone that was never read, but for telling it', async () => {
    const source = new Source(kWords);
    const moderation = moderate(source, new WordJudge());
    await moderation.return();
    assert.deepEqual([source.taken, source.cancelled], [0, true]);
  });

  it('never cuts a character in two: half of a surrogate pair waits for the other', async () => {
    const judge = new WordJudge();
    const moderation = moderate(new Source(['a \ud83d', '\ude00 b']), judge, { every: 1 });
    assert.equal((await drain(moderation)).text.join(''), 'a \u{1f600} b');
    for (const text of judge.judged) assert.ok(text.isWellFormed());
  });

  it('reads and makes Web streams', async () => {
    const web = ReadableStream.from(kWords);
    const text: string[] = [];
    for await (const chunk of ReadableStream.from(moderate(web, new WordJudge(), { every: 3 }))) text.push(chunk);
    assert.equal(text.join(''), kWords.join(''));
  });

  it('cancels the source of a Web stream that is cancelled', async () => {
    const source = new Source(kWords);
    const reader = ReadableStream.from(moderate(source, new WordJudge(), { every: 3 })).getReader();
    await reader.read();
    await reader.cancel();
    assert.equal(source.cancelled, true);
  });

  it('reads and makes Node streams, also of bytes that cut characters in two', async () => {
    const bytes = Buffer.from('grüße an alle');
    const node = Readable.from([bytes.subarray(0, 3), bytes.subarray(3)]);
    const text: string[] = [];
    for await (const chunk of Readable.from(moderate(node, new WordJudge(), { every: 1 }))) text.push(chunk);
    assert.equal(text.join(''), 'grüße an alle');
    const broken = Readable.from([Buffer.from([0xc3])]);
    assert.equal(((await drain(moderate(broken, new WordJudge()))).error as { code?: string }).code, 'ERR_INPUT');
  });

  it('destroys the source with a Node stream that is destroyed', async () => {
    const source = new Source(kWords);
    const stream = Readable.from(moderate(source, new WordJudge(), { every: 3 }));
    await new Promise((resolve) => stream.once('data', resolve));
    stream.destroy();
    await until(() => source.cancelled);
  });

  it('is of the conversation as it was when it began, though that goes on meanwhile', async () => {
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const options = { messages, every: 4 };
    let parsed: ReturnType<typeof parseModerateOptions> | undefined;
    const moderation = new Moderation(new Source(kWords), () => {
      parsed = parseModerateOptions(options);
      return { settings: parsed, judge: new WordJudge() };
    });
    messages[0] = { role: 'user', content: 'Something else' };
    options.every = 1;
    await moderation.next();
    assert.equal(parsed?.every, 4);
    const { conversation } = parseModerateOptions({ messages });
    messages[0].content = 'And something else';
    assert.deepEqual(
      [parsed?.conversation.messages, conversation.messages],
      [[{ role: 'user', content: 'Hi' }], [{ role: 'user', content: 'Something else' }]],
    );
    await moderation.return();
  });

  it('refuses what is no stream of text, when it is first read', async () => {
    for (const source of [5, null, {}]) {
      await assert.rejects(moderate(source, new WordJudge()).next(), coded('ERR_INVALID_ARG_TYPE'));
    }
    await assert.rejects(moderate(new Source([5 as never]), new WordJudge()).next(), coded('ERR_INVALID_ARG_TYPE'));
  });

  it('refuses wrong options', () => {
    const parse = (options: object) => () => parseModerateOptions({ messages: 'Hi', ...options } as ModerateOptions);
    assert.throws(parse({ every: 0 }), coded('ERR_OUT_OF_RANGE'));
    assert.throws(parse({ every: '8' }), coded('ERR_INVALID_ARG_TYPE'));
    assert.throws(parse({ hold: 1 }), coded('ERR_INVALID_ARG_TYPE'));
    assert.throws(parse({ onUnsafe: 'stop' }), coded('ERR_OUT_OF_RANGE'));
    assert.throws(parse({ messages: undefined }), coded('ERR_INVALID_ARG_TYPE'));
    assert.throws(parse({ messages: [] }), coded('ERR_INPUT'));
    assert.throws(parse({ signal: 1 }), coded('ERR_INVALID_ARG_TYPE'));
  });
});

describe('a token gauge', () => {
  it('asks the tokenizer only where the text could be full', async () => {
    const asked: string[] = [];
    const gauge = new TokenGauge(4, async (text) => {
      asked.push(text);
      return Math.floor(text.length / 2);
    });
    const full: boolean[] = [];
    for (let length = 1; length <= 8; length++) full.push(await gauge.isFull('x'.repeat(length)));
    assert.deepEqual(full, [false, false, false, false, false, false, false, true]);
    assert.deepEqual(
      asked.map((text) => text.length),
      [4, 6, 7, 8],
    );
    gauge.empty();
    assert.equal(await gauge.isFull('xxx'), false);
    assert.equal(asked.length, 4);
  });
});
