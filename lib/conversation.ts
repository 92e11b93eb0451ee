/** Makes of every form of Input one plain conversation, copied out of the caller's objects, and refuses what no guard could read. */

import { describe, rangeError, SafeRouteError, typeError } from './errors.js';
import { unknownName } from './nearest-name.js';
import type { Message } from './verdict.js';

export interface Conversation {
  /** At least one; a system message only at the front, then a user message. */
  messages: Message[];
  rules: string | null;
}

export const kRoles: readonly string[] = ['user', 'assistant', 'system'];
const kFormHint = 'a string, an array of messages, or an object with prompt or messages';

/** Throws ERR_INPUT_TOO_LARGE before anything else is looked at, then ERR_INPUT, or a TypeError where the form is wrong. */
export function toConversation(input: unknown, limitBytes: number): Conversation {
  const texts = new Texts(limitBytes);
  const conversation = readInput(input, texts);
  texts.check();
  checkTurns(conversation.messages);
  return conversation;
}

/** Collects the texts of one input: their size is checked as they come, their content when all are there. */
class Texts {
  readonly #limit: number;
  readonly #found: [string, string][] = [];
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  take(where: string, value: unknown): string {
    if (typeof value !== 'string') throw typeError(where, 'a string', value);
    // UTF-8 never takes fewer bytes than UTF-16 has units, so a huge text is refused unread.
    this.#bytes += value.length > this.#limit ? value.length : Buffer.byteLength(value);
    if (this.#bytes > this.#limit) {
      throw new SafeRouteError(
        'ERR_INPUT_TOO_LARGE',
        `${where} brings the input to at least ${this.#bytes} bytes; limits.inputBytes is ${this.#limit}`,
      );
    }
    this.#found.push([where, value]);
    return value;
  }

  check(): void {
    for (const [where, text] of this.#found) {
      if (text === '') throw new SafeRouteError('ERR_INPUT', `${where} is empty`);
      if (!text.isWellFormed()) {
        const index = text.search(/\p{Surrogate}/u);
        const unit = text.charCodeAt(index).toString(16);
        throw new SafeRouteError('ERR_INPUT', `${where} has a lone surrogate \\u${unit} at index ${index}`);
      }
    }
  }
}

function readInput(input: unknown, texts: Texts): Conversation {
  if (typeof input === 'string')
    return { messages: [{ role: 'user', content: texts.take('input', input) }], rules: null };
  if (Array.isArray(input)) return { messages: readMessages('input', input, texts), rules: null };
  if (typeof input !== 'object' || input === null) throw typeError('input', kFormHint, input);
  const { prompt, response, messages, rules, ...others } = input as Record<string, unknown>;
  refuseOthers('input', others, ['prompt', 'response', 'messages', 'rules']);
  if ((prompt === undefined) === (messages === undefined)) {
    throw new SafeRouteError(
      'ERR_INPUT',
      `input must have either prompt or messages, got ${prompt === undefined ? 'neither' : 'both'}`,
    );
  }
  if (messages !== undefined && response !== undefined) {
    throw new SafeRouteError('ERR_INPUT', 'input has messages and response; the response belongs into the messages');
  }
  const turns =
    messages === undefined ? readPair(prompt, response, texts) : readMessages('input.messages', messages, texts);
  return { messages: turns, rules: rules === undefined ? null : texts.take('input.rules', rules) };
}

function readPair(prompt: unknown, response: unknown, texts: Texts): Message[] {
  const turns: Message[] = [{ role: 'user', content: texts.take('input.prompt', prompt) }];
  if (response !== undefined) turns.push({ role: 'assistant', content: texts.take('input.response', response) });
  return turns;
}

function readMessages(where: string, messages: unknown, texts: Texts): Message[] {
  if (!Array.isArray(messages)) throw typeError(where, 'an array of messages', messages);
  if (messages.length === 0) throw new SafeRouteError('ERR_INPUT', `${where} is empty`);
  return Array.from({ length: messages.length }, (_, index) =>
    readMessage(`${where}[${index}]`, messages[index], texts),
  );
}

function readMessage(where: string, message: unknown, texts: Texts): Message {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw typeError(where, 'an object with role and content', message);
  }
  const { role, content, ...others } = message as Record<string, unknown>;
  refuseOthers(where, others, ['role', 'content']);
  if (typeof role !== 'string') throw typeError(`${where}.role`, 'a string', role);
  if (!kRoles.includes(role)) {
    throw new SafeRouteError(
      'ERR_INPUT',
      `${where}.role must be 'user', 'assistant' or 'system', got ${describe(role)}`,
    );
  }
  return { role: role as Message['role'], content: texts.take(`${where}.content`, content) };
}

/** A misspelled key would be text that no guard sees. */
function refuseOthers(where: string, others: object, known: string[]): void {
  for (const name of Object.keys(others)) {
    throw new SafeRouteError('ERR_INPUT', `${where}: the key ${unknownName(name, known)}`);
  }
}

function checkTurns(messages: Message[]): void {
  const stray = messages.findIndex(({ role }, index) => role === 'system' && index > 0);
  if (stray > 0)
    throw new SafeRouteError('ERR_INPUT', `message ${stray} is a system message; only the first may be one`);
  const first = messages[0]?.role === 'system' ? 1 : 0;
  const opening = messages[first];
  if (opening === undefined)
    throw new SafeRouteError('ERR_INPUT', 'the conversation has only a system message, nothing to judge');
  if (opening.role !== 'user')
    throw new SafeRouteError('ERR_INPUT', `message ${first} must be the user's, got '${opening.role}'`);
}

/** Token ids for `Guard.read`, copied so that a caller who changes the array afterwards changes nothing here. `(tokens)` */
export function toTokenIds(ids: unknown, vocabSize: number, contextTokens: number): Int32Array {
  if (!Array.isArray(ids) && !(ids instanceof Int32Array))
    throw typeError('ids', 'an Int32Array or an array of numbers', ids);
  if (ids.length === 0) throw new SafeRouteError('ERR_INPUT', 'ids is empty');
  if (ids.length > contextTokens) {
    throw new SafeRouteError(
      'ERR_CONTEXT_LENGTH',
      `ids has ${ids.length} tokens; the guard reads at most ${contextTokens}`,
    );
  }
  const copy = new Int32Array(ids.length);
  for (let index = 0; index < copy.length; index++) {
    const id: unknown = ids[index];
    if (typeof id !== 'number') throw typeError(`ids[${index}]`, 'a number', id);
    if (!Number.isInteger(id) || id < 0 || id >= vocabSize) {
      throw rangeError(`ids[${index}]`, `a whole number from 0 to ${vocabSize - 1}`, id);
    }
    copy[index] = id;
  }
  return copy;
}
