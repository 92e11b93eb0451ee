/**
 * Finds the beginnings that all prompts of a guard share: the taxonomy before a message of the user, and before an answer of the assistant.
 * Read once at the load, they stand in the prefix cache for every request to come.
 */

import type { Conversation } from './conversation.js';
import { SafeRouteError } from './errors.js';
import type { Prompter } from './prompter.js';
import type { Message } from './verdict.js';

const kLeastTokens = 16; // a page of keys and values; the prefix cache keeps nothing shorter

/** Alike in nothing, from the first character on, so that what two prompts share is the template's. */
const kTexts = ['How are you?', '7 days'] as const;

const kForms: readonly Message['role'][][] = [['user'], ['user', 'assistant']];

/** Each `(tokens)`; none is the beginning of another. */
export async function findHeads(prompter: Prompter): Promise<Int32Array[]> {
  const found = await Promise.all(kForms.map((roles) => headOf(prompter, roles)));
  const heads = found.filter((head) => head.length >= kLeastTokens).sort((a, b) => b.length - a.length);
  return heads.filter(
    (head, index) => !heads.slice(0, index).some((longer) => sharedTokens(longer, head) === head.length),
  );
}

/** Empty where the guard cannot be asked in this form. */
async function headOf(prompter: Prompter, roles: readonly Message['role'][]): Promise<Int32Array> {
  try {
    const [one, other] = await Promise.all(
      kTexts.map((text) => prompter.prompt(conversationOf(prompter, roles, text))),
    );
    if (one === undefined || other === undefined || one.truncated + other.truncated > 0) return new Int32Array();
    return one.ids.slice(0, sharedTokens(one.ids, other.ids));
  } catch (error) {
    if (error instanceof SafeRouteError) return new Int32Array();
    throw error;
  }
}

function conversationOf(prompter: Prompter, roles: readonly Message['role'][], text: string): Conversation {
  const messages = roles.map((role) => ({ role, content: text }));
  return { messages, rules: prompter.source.spec.layout === 'transcript' ? text : null };
}

function sharedTokens(one: Int32Array, other: Int32Array): number {
  const end = Math.min(one.length, other.length);
  let shared = 0;
  while (shared < end && one[shared] === other[shared]) shared++;
  return shared;
}
