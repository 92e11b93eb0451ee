/** What `SafeRoute.moderate` takes beside the stream, and the checks of it. */

import { SafeRouteError, typeError } from './errors.js';
import { choice, count, flag, optionGroup, parseSignal } from './option-values.js';
import type { RequestOptions } from './options.js';
import type { Message } from './verdict.js';

const kEvery = 32; // tokens: a few checks per paragraph, each of them mostly cached
const kMaxEvery = 1 << 20;

export interface ModerateOptions extends RequestOptions {
  /** The conversation that the response answers: a message of the user, or the turns up to the last one of the user. */
  messages: string | readonly Message[];
  /** For guards that judge by rules of the caller's. */
  rules?: string;
  /** Tokens between two checks, by the small guard's tokenizer. Default 32. */
  every?: number;
  /**
   * true (default): text goes on only once it was judged, so at most `every` tokens, or one chunk where that is longer, are held back.
   * false: text goes on at once, and the moderation ends when a check finds it unsafe; up to twice `every` tokens are ahead of the last verdict.
   */
  hold?: boolean;
  /** An unsafe response makes the text throw an `UnsafeResponseError` (default), or simply end; `verdict` tells either way. */
  onUnsafe?: 'throw' | 'end';
}

export interface ModerationSettings {
  every: number;
  hold: boolean;
  onUnsafe: 'throw' | 'end';
  signal: AbortSignal | null;
}

/** What goes before the response, copied out of the caller's objects; its content is checked with the first check. */
export interface ModeratedConversation {
  messages: readonly unknown[];
  rules: { rules?: unknown };
}

export function parseModerateOptions(
  options: ModerateOptions | undefined,
): ModerationSettings & { conversation: ModeratedConversation } {
  const known = ['signal', 'messages', 'rules', 'every', 'hold', 'onUnsafe'];
  const { signal, messages, rules, every, hold, onUnsafe } = optionGroup(options, known, 'options');
  return {
    every: count(every, kEvery, 1, kMaxEvery, 'options.every'),
    hold: flag(hold, 'options.hold', true),
    onUnsafe: choice(onUnsafe, ['throw', 'end'], 'options.onUnsafe'),
    signal: parseSignal(signal),
    conversation: { messages: turnsOf(messages), rules: rules === undefined ? {} : { rules } },
  };
}

function turnsOf(messages: unknown): unknown[] {
  if (typeof messages === 'string') return [{ role: 'user', content: messages }];
  if (!Array.isArray(messages)) throw typeError('options.messages', 'a string or an array of messages', messages);
  if (messages.length === 0) throw new SafeRouteError('ERR_INPUT', 'options.messages is empty');
  return messages.map(copyOf);
}

/** What is none of a message's is kept, for the check to refuse. */
function copyOf(message: unknown): unknown {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return message;
  const { role, content, ...others } = message as Record<string, unknown>;
  return { role, content, ...others };
}
