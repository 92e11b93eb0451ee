// The tokenizer's thread and the loads that share it: answers in any order, crashes and closes without a request left hanging.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { readChatTemplate } from '../../lib/chat-template.js';
import { toConversation } from '../../lib/conversation.js';
import { resolveSpec } from '../../lib/guard-spec.js';
import type { PromptSource } from '../../lib/prompter.js';
import type { PlainPrompt } from '../../lib/tokenizer-protocol.js';
import { TokenizerThread } from '../../lib/tokenizer-thread.js';
import { type Answer, Tokenizers } from '../../lib/tokenizers.js';
import { goldenOf, kTemplates } from './fixture-guards.js';
import { until } from './fixture-pairs.js';
import { coded } from './rejected.js';

/** Every thread that was started, in order. */
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

type PromptAnswer = Answer<(PlainPrompt | null)[]>;

const scratch = mkdtempSync(join(tmpdir(), 'saferoute-'));
after(() => rmSync(scratch, { recursive: true }));

async function source(name: string, dir = join(kTemplates, name)): Promise<PromptSource> {
  const template = await readChatTemplate(dir, null);
  const modelType = name.startsWith('llama') ? 'llama' : 'qwen3';
  return {
    name: 'small',
    dir,
    template,
    contextTokens: 2048,
    vocabSize: 2048,
    specialTokens: 'text',
    overlong: 'error',
    spec: resolveSpec(null, null, { modelType, template: template.source, names: [name] }, dir),
  };
}

const ask = (tokenizers: Tokenizers, text: string, targets = [0]) =>
  new Promise<PromptAnswer>((settle) => tokenizers.prompt(toConversation(text, 1 << 20), targets, settle));

const idsOf = (answer: PromptAnswer) =>
  'value' in answer ? answer.value.map((prompt) => prompt && [...prompt.ids]) : assert.fail(answer.error);

/** A thread that is not the one which all loads share. */
function ownThread(name: string, code: string): TokenizerThread {
  const entry = join(scratch, `${name}.cjs`);
  writeFileSync(entry, `const { parentPort } = require('node:worker_threads');\n${code}`);
  return new TokenizerThread(entry);
}

/** Opens every load, without a look at it. */
const kOpens =
  "if (request.kind === 'open') return parentPort.postMessage({ id, answer: { kind: 'opened', guards: [] } });";

describe('Tokenizers', () => {
  it('answer for each guard with its own prompt', async () => {
    const tokenizers = await Tokenizers.open([await source('llama-guard-8b'), await source('qwen3guard')]);
    const cases = [goldenOf('llama-guard-8b').cases.prompt, goldenOf('qwen3guard').cases.prompt];
    const prompt = 'How do I bake bread?';
    assert.deepEqual(
      idsOf(await ask(tokenizers, prompt, [0, 1])),
      cases.map((made) => made?.ids),
    );
    assert.deepEqual(idsOf(await ask(tokenizers, prompt, [1])), [cases[1]?.ids]);
    assert.deepEqual(
      tokenizers.guards.map(({ verdictIds }) => verdictIds.length),
      [2, 3],
    );
    await tokenizers.close();
  });

  // The large guard refuses before it tokenises anything, the small one only when it has counted the tokens.
  it('tell of the small guard’s refusal where both refuse, whichever is first', async () => {
    const small = { ...(await source('llama-guard-8b')), contextTokens: 100 };
    const large = { ...(await source('qwen3guard')), name: 'large', contextTokens: 20 };
    const tokenizers = await Tokenizers.open([small, large]);
    const messages = Array.from({ length: 31 }, (_, turn) => ({
      role: turn % 2 ? ('assistant' as const) : ('user' as const),
      content: 'many words and more of them',
    }));
    const refusal = (targets: number[]) =>
      new Promise<PromptAnswer>((settle) => tokenizers.prompt(toConversation(messages, 1 << 20), targets, settle));
    for (const [targets, guard] of [
      [[0, 1], 'small'],
      [[1], 'large'],
    ] as const) {
      const answer = await refusal([...targets]);
      assert.ok('error' in answer);
      coded('ERR_CONTEXT_LENGTH', `the ${guard} guard`)(answer.error);
    }
    await tokenizers.close();
  });

  it('make the prompt of two guards with the same files once', async () => {
    const copy = join(scratch, 'copy');
    cpSync(join(kTemplates, 'llama-guard-8b'), copy, { recursive: true });
    const one = await source('llama-guard-8b');
    const same = await Tokenizers.open([one, { ...(await source('llama-guard-8b', copy)), name: 'large' }]);
    assert.deepEqual(
      idsOf(await ask(same, 'a', [0, 1])).map((ids) => ids === null),
      [false, true],
    );
    await same.close();
    const other = await Tokenizers.open([one, { ...one, contextTokens: 1024 }]);
    assert.deepEqual(
      idsOf(await ask(other, 'a', [0, 1])).map((ids) => ids === null),
      [false, false],
    );
    await other.close();
  });

  it('count the tokens of a text on its own', async () => {
    const tokenizers = await Tokenizers.open([await source('qwen3guard')]);
    const count = (text: string) => new Promise((settle) => tokenizers.count(0, text, settle));
    const [nothing, word, words] = await Promise.all(['', 'a', 'a a a a'].map(count));
    assert.deepEqual([nothing, word], [{ value: 0 }, { value: 1 }]);
    assert.ok((words as { value: number }).value > 1);
    await tokenizers.close();
  });

  it('refuse one request and answer the others', async () => {
    const tokenizers = await Tokenizers.open([{ ...(await source('qwen3guard')), contextTokens: 300 }]);
    const answers = await Promise.all(['a', 'word '.repeat(400), 'b'].map((text) => ask(tokenizers, text)));
    assert.deepEqual(
      answers.map((answer) => 'value' in answer),
      [true, false, true],
    );
    const refused = answers[1];
    coded('ERR_CONTEXT_LENGTH')(refused && 'error' in refused ? refused.error : null);
    await tokenizers.close();
  });

  it('do not answer what was dropped, here or on its way', async () => {
    const tokenizers = await Tokenizers.open([await source('qwen3guard')]);
    const answered: number[] = [];
    const ids = Array.from({ length: 100 }, (_, index) =>
      tokenizers.prompt(toConversation('a', 10), [0], () => answered.push(index)),
    );
    for (const index of [0, 99]) tokenizers.drop(ids[index] as number);
    await until(() => answered.length >= 98);
    await ask(tokenizers, 'last');
    assert.equal(answered.length, 98);
    assert.ok(!answered.includes(0) && !answered.includes(99));
    await tokenizers.close();
  });

  it('are closed once as well as twice, and answer nothing after', async () => {
    const tokenizers = await Tokenizers.open([await source('qwen3guard')]);
    let answered = false;
    tokenizers.prompt(toConversation('word '.repeat(1000), 1 << 20), [0], () => {
      answered = true;
    });
    await Promise.all([tokenizers.close(), tokenizers.close()]);
    assert.equal(answered, false);
    const late = await ask(tokenizers, 'c');
    coded('ERR_CLOSED')('error' in late ? late.error : null);
  });
});

describe('the thread of all tokenizers', () => {
  it('is one, however many loads there are, and outlives them', async () => {
    const shared = TokenizerThread.shared();
    const before = workers.length;
    const [one, other] = await Promise.all([
      Tokenizers.open([await source('qwen3guard')]),
      Tokenizers.open([await source('llama-guard-8b')]),
    ]);
    await one.close();
    assert.deepEqual(idsOf(await ask(other, 'How do I bake bread?')), [goldenOf('llama-guard-8b').cases.prompt?.ids]);
    await other.close();
    const later = await Tokenizers.open([await source('qwen3guard')]);
    assert.deepEqual(idsOf(await ask(later, 'How do I bake bread?')), [goldenOf('qwen3guard').cases.prompt?.ids]);
    await later.close();
    assert.equal(TokenizerThread.shared(), shared);
    assert.equal(workers.length, before);
  });

  it('is followed by another when it dies, and only the loads on it are lost', async () => {
    const lost = await Tokenizers.open([await source('qwen3guard')]);
    const dead = TokenizerThread.shared();
    const waiting = Array.from({ length: 40 }, () => ask(lost, 'word '.repeat(1000)));
    const before = workers.length;
    await workers.findLast(({ threadId }) => threadId > 0)?.terminate();
    for (const answer of await Promise.all(waiting)) {
      coded('ERR_BACKEND', 'tokenizer thread')('error' in answer ? answer.error : null);
    }
    const found = await Tokenizers.open([await source('qwen3guard')]);
    assert.equal(workers.length, before + 1);
    assert.notEqual(TokenizerThread.shared(), dead);
    assert.deepEqual(idsOf(await ask(found, 'How do I bake bread?')), [goldenOf('qwen3guard').cases.prompt?.ids]);
    const late = await ask(lost, 'c');
    coded('ERR_BACKEND')('error' in late ? late.error : null);
    await Promise.all([lost.close(), found.close()]);
  });

  it('fails what it holds when it throws, and what comes after', async () => {
    const thread = ownThread(
      'dies',
      `parentPort.on('message', ({ id, request }) => { ${kOpens} throw new Error('out of luck'); });`,
    );
    const tokenizers = await Tokenizers.open([await source('qwen3guard')], thread);
    const many = Array.from({ length: 100 }, () => ask(tokenizers, 'a'));
    for (const answer of await Promise.all(many)) {
      coded('ERR_BACKEND', 'tokenizer thread', 'out of luck')('error' in answer ? answer.error : null);
    }
    await assert.rejects(Tokenizers.open([await source('qwen3guard')], thread), coded('ERR_BACKEND', 'out of luck'));
    await tokenizers.close();
  });

  it('says so when it dies before it answers', async () => {
    const sources = [await source('qwen3guard')] as const;
    for (const [name, code, why] of [
      ['throws', "throw new Error('no room')", 'no room'],
      ['leaves', 'process.exit(0)', 'stopped from outside'],
    ] as const) {
      await assert.rejects(Tokenizers.open(sources, ownThread(name, code)), coded('ERR_BACKEND', why));
    }
  });

  it('lets what is interactive pass what is bulk, which takes every second place all the same', async () => {
    const thread = ownThread(
      'prompt',
      `parentPort.on('message', ({ id, request }) => {
         ${kOpens}
         if (request.kind === 'release') return parentPort.postMessage({ id, answer: { kind: 'released' } });
         parentPort.postMessage({ id, answer: { kind: 'prompts', prompts: [] } });
       });`,
    );
    const tokenizers = await Tokenizers.open([await source('qwen3guard')], thread);
    const answered: string[] = [];
    const askAs = (name: string, bulk: boolean) =>
      new Promise<void>((resolve) => {
        const settle = () => {
          answered.push(name);
          resolve();
        };
        tokenizers.prompt(toConversation('a', 10), [0], settle, bulk);
      });
    // As many as go over at a time, then those that wait.
    const first = Array.from({ length: 32 }, () => askAs('first', true));
    const later = ['b1', 'b2', 'b3', 'b4', 'i1', 'i2'].map((name) => askAs(name, name.startsWith('b')));
    await Promise.all([...first, ...later]);
    assert.deepEqual(answered.slice(32), ['i1', 'b1', 'i2', 'b2', 'b3', 'b4']);
    await tokenizers.close();
  });

  it('lets a close pass what waits for it', async () => {
    const thread = ownThread(
      'slow',
      `parentPort.on('message', ({ id, request }) => {
         ${kOpens}
         if (request.kind === 'release') parentPort.postMessage({ id, answer: { kind: 'released' } });
       });`,
    );
    const busy = await Tokenizers.open([await source('qwen3guard')], thread);
    const other = await Tokenizers.open([await source('qwen3guard')], thread);
    for (let index = 0; index < 100; index++) busy.prompt(toConversation('a', 10), [0], () => assert.fail());
    await other.close();
    await busy.close();
  });
});

describe('a process with nothing else to do', () => {
  const run = (script: string) => {
    const required = ['tokenizer-thread.js', 'tokenizers.js'].map((name) =>
      JSON.stringify(join(__dirname, '..', '..', 'dist', name)),
    );
    const preamble = `const { TokenizerThread } = require(${required[0]}); const { Tokenizers } = require(${required[1]});`;
    return spawnSync(process.execPath, ['-e', preamble + script], { encoding: 'utf8' });
  };
  /** Answers a prompt only when its load is released, and that a while later. */
  const entry = join(scratch, 'late.cjs');
  writeFileSync(
    entry,
    `const { parentPort } = require('node:worker_threads');
     let asked;
     parentPort.on('message', ({ id, request }) => {
       ${kOpens}
       if (request.kind === 'prompt') asked = id;
       else {
         parentPort.postMessage({ id: asked, answer: { kind: 'refused', error: { code: 'ERR_INPUT', message: '' } } });
         setTimeout(() => parentPort.postMessage({ id, answer: { kind: 'released' } }), 100);
       }
     });`,
  );
  const start = `Tokenizers.open([], new TokenizerThread(${JSON.stringify(entry)})).then(async (tokenizers) => {`;

  it('waits for the end of a close, though an answer comes in between', () => {
    const { status, stdout } = run(
      `${start} tokenizers.prompt({}, [], () => {}); await tokenizers.close(); console.log('closed'); });`,
    );
    assert.deepEqual([status, stdout], [0, 'closed\n']);
  });

  it('is not held open by an idle thread', () => {
    assert.equal(run(`${start} console.log('idle'); });`).stdout, 'idle\n');
  });
});

describe('a tokenizer that cannot be loaded', () => {
  const broken = async (name: string, text: string | null) => {
    const dir = join(scratch, name);
    cpSync(join(kTemplates, 'qwen3guard'), dir, { recursive: true });
    if (text === null) rmSync(join(dir, 'tokenizer.json'));
    else writeFileSync(join(dir, 'tokenizer.json'), text);
    return Tokenizers.open([await source('qwen3guard', dir)]);
  };

  it('rejects with what is wrong', async () => {
    await assert.rejects(broken('missing', null), coded('ERR_CHECKPOINT', 'tokenizer.json', 'ENOENT'));
    await assert.rejects(broken('empty', ''), coded('ERR_CHECKPOINT', 'tokenizer.json'));
    await assert.rejects(broken('cut', '{"added_tokens":[{"id":1,'), coded('ERR_CHECKPOINT', 'tokenizer.json'));
    await assert.rejects(broken('other', '{"added_tokens":[]}'), coded('ERR_CHECKPOINT', 'is not a tokenizer'));
    await assert.rejects(broken('list', '{"added_tokens":[5]}'), coded('ERR_CHECKPOINT', 'added_tokens'));
    await assert.rejects(broken('object', '{"added_tokens":{}}'), coded('ERR_CHECKPOINT', 'added_tokens'));
  });

  it('or with what this package does not do', async () => {
    const metaspace =
      '{"added_tokens":[],"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}}';
    await assert.rejects(broken('metaspace', metaspace), coded('ERR_UNSUPPORTED', 'prepend_scheme'));
    const tokenizer = JSON.parse(readFileSync(join(kTemplates, 'qwen3guard', 'tokenizer.json'), 'utf8'));
    tokenizer.added_tokens[0].normalized = true;
    await assert.rejects(broken('normalized', JSON.stringify(tokenizer)), coded('ERR_UNSUPPORTED', 'normalized'));
    tokenizer.added_tokens[0] = { ...tokenizer.added_tokens[0], normalized: false, content: '§' };
    await assert.rejects(
      broken('single', JSON.stringify(tokenizer)),
      coded('ERR_UNSUPPORTED', "'§'", 'single character'),
    );
  });
});
