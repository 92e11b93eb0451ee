// What of a caller's input becomes a conversation, and what is refused, naming the place and the value.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toConversation, toTokenIds } from '../../lib/conversation.js';
import { coded } from './rejected.js';

const kLimit = 1 << 20;
const user = (content: unknown) => ({ role: 'user', content });

describe('toConversation', () => {
  it('reads every form of input', () => {
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ];
    assert.deepEqual(toConversation('a', kLimit), { messages: [messages[0]], rules: null });
    assert.deepEqual(toConversation(messages, kLimit), { messages, rules: null });
    assert.deepEqual(toConversation({ prompt: 'a', response: 'b' }, kLimit), { messages, rules: null });
    assert.deepEqual(toConversation({ messages, rules: 'r' }, kLimit), { messages, rules: 'r' });
    assert.deepEqual(toConversation({ prompt: ' ' }, kLimit).messages, [user(' ')]);
  });

  it('keeps nothing of the caller: later changes change nothing', () => {
    const message = user('before');
    const conversation = toConversation([message], kLimit);
    message.content = 'after';
    assert.equal(conversation.messages[0]?.content, 'before');
  });

  it('refuses the wrong form with a TypeError', () => {
    for (const input of [undefined, null, 5, () => 'x', Symbol.iterator]) {
      assert.throws(() => toConversation(input, kLimit), coded('ERR_INVALID_ARG_TYPE', 'input'));
    }
    assert.throws(() => toConversation({ prompt: 5 }, kLimit), coded('ERR_INVALID_ARG_TYPE', 'input.prompt', '5'));
    assert.throws(
      () => toConversation({ prompt: 'a', rules: [] }, kLimit),
      coded('ERR_INVALID_ARG_TYPE', 'input.rules'),
    );
    assert.throws(() => toConversation({ messages: 'a' }, kLimit), coded('ERR_INVALID_ARG_TYPE', 'input.messages'));
    assert.throws(() => toConversation([user('a'), null], kLimit), coded('ERR_INVALID_ARG_TYPE', 'input[1]'));
    assert.throws(() => toConversation(new Array(2), kLimit), coded('ERR_INVALID_ARG_TYPE', 'input[0]'));
    assert.throws(
      () => toConversation([user([{ type: 'text' }])], kLimit),
      coded('ERR_INVALID_ARG_TYPE', 'input[0].content'),
    );
  });

  it('refuses what is empty', () => {
    assert.throws(() => toConversation('', kLimit), coded('ERR_INPUT', 'input is empty'));
    assert.throws(() => toConversation([], kLimit), coded('ERR_INPUT', 'input is empty'));
    assert.throws(() => toConversation({ messages: [] }, kLimit), coded('ERR_INPUT', 'input.messages is empty'));
    assert.throws(
      () => toConversation({ prompt: 'a', response: '' }, kLimit),
      coded('ERR_INPUT', 'input.response is empty'),
    );
    assert.throws(() => toConversation({}, kLimit), coded('ERR_INPUT', 'neither'));
  });

  it('refuses two ways of saying the same', () => {
    assert.throws(() => toConversation({ prompt: 'a', messages: [user('a')] }, kLimit), coded('ERR_INPUT', 'both'));
    assert.throws(
      () => toConversation({ response: 'a', messages: [user('a')] }, kLimit),
      coded('ERR_INPUT', 'response'),
    );
  });

  it('refuses a key that no guard would see, and names the one that was meant', () => {
    assert.throws(
      () => toConversation({ prompt: 'a', reponse: 'b' }, kLimit),
      coded('ERR_INPUT', "'reponse'", "did you mean 'response'"),
    );
    assert.throws(
      () => toConversation([{ ...user('a'), contents: 'b' }], kLimit),
      coded('ERR_INPUT', 'input[0]', "'content'"),
    );
  });

  it('refuses lone surrogates with their index, and no pair of them', () => {
    assert.throws(() => toConversation('ab\ud800c', kLimit), coded('ERR_INPUT', 'input ', '\\ud800', 'index 2'));
    assert.throws(
      () => toConversation({ prompt: 'a', response: '\udc00' }, kLimit),
      coded('ERR_INPUT', 'input.response', '\\udc00', 'index 0'),
    );
    assert.throws(() => toConversation('\udc00\ud800', kLimit), coded('ERR_INPUT', 'index 0'));
    assert.throws(
      () => toConversation([user('a'), { role: 'assistant', content: '😀\ud83d' }], kLimit),
      coded('ERR_INPUT', 'input[1].content', 'index 2'),
    );
    assert.equal(toConversation('😀\u{10ffff}', kLimit).messages[0]?.content, '😀\u{10ffff}');
  });

  it('refuses roles that are unknown or out of place', () => {
    assert.throws(
      () => toConversation([{ role: 'tool', content: 'a' }], kLimit),
      coded('ERR_INPUT', 'input[0].role', "'tool'"),
    );
    assert.throws(
      () => toConversation([{ role: '<|im_end|>', content: 'a' }], kLimit),
      coded('ERR_INPUT', "'<|im_end|>'"),
    );
    assert.throws(
      () => toConversation([{ role: 'assistant', content: 'a' }], kLimit),
      coded('ERR_INPUT', 'message 0', "'assistant'"),
    );
    assert.throws(
      () => toConversation([{ role: 'system', content: 'a' }], kLimit),
      coded('ERR_INPUT', 'only a system message'),
    );
    assert.throws(
      () => toConversation([user('a'), { role: 'system', content: 'b' }], kLimit),
      coded('ERR_INPUT', 'message 1'),
    );
    assert.throws(() => toConversation([{ content: 'a' }], kLimit), coded('ERR_INVALID_ARG_TYPE', 'input[0].role'));
    assert.equal(toConversation([{ role: 'system', content: 's' }, user('a')], kLimit).messages.length, 2);
  });

  it('checks the size in UTF-8 bytes, of all texts together, before what they hold', () => {
    assert.equal(toConversation('é'.repeat(50), 100).messages.length, 1);
    assert.throws(() => toConversation('é'.repeat(51), 100), coded('ERR_INPUT_TOO_LARGE', '102', '100'));
    assert.throws(() => toConversation('\ud800'.repeat(200), 100), coded('ERR_INPUT_TOO_LARGE'));
    assert.throws(
      () => toConversation({ prompt: 'a'.repeat(60), rules: 'b'.repeat(60) }, 100),
      coded('ERR_INPUT_TOO_LARGE', 'input.rules'),
    );
    assert.throws(
      () => toConversation('x'.repeat(10 << 20), kLimit),
      coded('ERR_INPUT_TOO_LARGE', `${10 << 20}`, `${kLimit}`),
    );
    const many = Array.from({ length: 200 }, () => user('x'));
    assert.throws(() => toConversation(many, 100), coded('ERR_INPUT_TOO_LARGE', 'input[100]'));
  });
});

describe('toTokenIds', () => {
  it('copies ids of either form', () => {
    const ids = new Int32Array([1, 2]);
    const copy = toTokenIds(ids, 10, 10);
    ids[0] = 9;
    assert.deepEqual([...copy], [1, 2]);
    assert.deepEqual([...toTokenIds([0, 9], 10, 10)], [0, 9]);
  });

  it('refuses what is not an id of the vocabulary, with index and value', () => {
    assert.throws(() => toTokenIds([1, 10], 10, 10), coded('ERR_OUT_OF_RANGE', 'ids[1]', '0 to 9', '10'));
    assert.throws(() => toTokenIds([-1], 10, 10), coded('ERR_OUT_OF_RANGE', 'ids[0]', '-1'));
    assert.throws(() => toTokenIds([1.5], 10, 10), coded('ERR_OUT_OF_RANGE', '1.5'));
    assert.throws(() => toTokenIds([Number.NaN], 10, 10), coded('ERR_OUT_OF_RANGE', 'NaN'));
    assert.throws(() => toTokenIds([2 ** 32 + 1], 10, 10), coded('ERR_OUT_OF_RANGE', `${2 ** 32 + 1}`));
    assert.throws(() => toTokenIds(new Int32Array([3, -2]), 10, 10), coded('ERR_OUT_OF_RANGE', 'ids[1]', '-2'));
    assert.throws(() => toTokenIds(['1'], 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids[0]'));
    assert.throws(() => toTokenIds([1n], 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids[0]'));
    assert.throws(() => toTokenIds([0, Symbol('a')], 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids[1]', 'Symbol(a)'));
    assert.throws(() => toTokenIds([{ valueOf: () => 1 }], 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids[0]'));
    assert.throws(() => toTokenIds(new Array(1), 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids[0]'));
    assert.throws(() => toTokenIds(new Float32Array(1), 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids'));
    assert.throws(() => toTokenIds(null, 10, 10), coded('ERR_INVALID_ARG_TYPE', 'ids'));
  });

  it('refuses none and too many', () => {
    assert.throws(() => toTokenIds([], 10, 10), coded('ERR_INPUT', 'empty'));
    assert.throws(() => toTokenIds(new Int32Array(11), 10, 10), coded('ERR_CONTEXT_LENGTH', '11', '10'));
  });
});
