// Prompts as token ids: the constant head of a template, a message, the constant tail. All contenders read the same ids.
import { randomBelow, randomIntegers } from '../weights/random-values.js';
import { kHeadTokens, kTailTokens } from '../weights/template.js';

/** Ids below this are plain words in every vocabulary that the bench generates. */
const kWordIds = 100_000;
const kFirstWordId = 1000;
const kTemplateSeed = 7;

/** Words' ids, the same for the same seed. `(count)` */
function words(count: number, seed: number): Int32Array {
  const next = randomIntegers(seed);
  return Int32Array.from({ length: count }, () => kFirstWordId + randomBelow(next, kWordIds - kFirstWordId));
}

const kHead = words(kHeadTokens, kTemplateSeed);
const kTail = words(kTailTokens, kTemplateSeed + 1);

/** A prompt around a message of `messageTokens`; another `seed` gives another message. `(kHeadTokens + messageTokens + kTailTokens)` */
export function prompt(messageTokens: number, seed: number): Int32Array {
  return around(words(messageTokens, messageSeed(seed)));
}

/** The constant head alone. `(kHeadTokens)` */
export function headOnly(): Int32Array {
  return kHead.slice();
}

/** The prompts of a response that is read again each time it has grown by `every` tokens, the last time when it is whole. */
export function growingPrompts(responseTokens: number, every: number, seed: number): Int32Array[] {
  const response = words(responseTokens, messageSeed(seed));
  const checks = Math.ceil(responseTokens / every);
  return Array.from({ length: checks }, (_, check) => around(response.subarray(0, (check + 1) * every)));
}

/** A prompt whose constant head has `headTokens`, as rules of a caller's would make it. */
export function longHeadPrompt(headTokens: number, messageTokens: number, seed: number): Int32Array {
  const head = words(headTokens, kTemplateSeed + 2);
  return Int32Array.of(...head, ...words(messageTokens, messageSeed(seed)), ...kTail);
}

/** Nothing but `tokens` words. */
export function bareWords(tokens: number, seed: number): Int32Array {
  return words(tokens, messageSeed(seed));
}

/** `ids` with two other tokens at the start, so that no prefix of it has been read before unless `unique` has. */
export function withFreshHead(ids: Int32Array, unique: number): Int32Array {
  const copy = ids.slice();
  copy[0] = kFirstWordId + (unique % (kWordIds - kFirstWordId));
  copy[1] = kFirstWordId + Math.floor(unique / (kWordIds - kFirstWordId));
  return copy;
}

/** Tokens of the longest prompt. */
export function longest(prompts: readonly Int32Array[]): number {
  return prompts.reduce((most, { length }) => Math.max(most, length), 0);
}

function around(message: Int32Array): Int32Array {
  return Int32Array.of(...kHead, ...message, ...kTail);
}

/** Apart from the seeds of the template, and never 0. */
function messageSeed(seed: number): number {
  return 1_000 + seed;
}
