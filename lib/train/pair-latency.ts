/** How long a check takes by each guard alone: the median over prompts asked one at a time, on this machine, through the loaded pair. */

import { SafeRouteError } from '../errors.js';
import type { PairedGuard } from '../guard.js';
import type { Input } from '../verdict.js';
import type { Latency } from './evaluation.js';

type AskedGuard = Pick<PairedGuard, 'score' | 'read' | 'encode' | 'vocabSize' | 'contextTokens'>;

export interface AskedPair {
  small: AskedGuard;
  large: AskedGuard;
}

/** A row to be timed: its message, or, where only a features file is there, the length of each guard's prompt in tokens. */
export type Probe = { input: Input } | { tokens: { small: number; large: number } };

/** Milliseconds of every probe. */
export interface Timings {
  small: number[];
  large: number[];
}

const kWarmups = 3;
/** Two short messages that are alike in nothing. */
const kPlainText = 'a';
const kOtherText = 'b';
const kPlainRules = 'c';

/** Template and tokens count in a message's time; of a features file's rows it is the reading of as many tokens. */
export async function timePair(
  pair: AskedPair,
  probes: readonly Probe[],
  signal: AbortSignal | undefined,
  onTimed: (done: number) => void,
): Promise<Timings> {
  const timings: Timings = { small: [], large: [] };
  const guards = await Promise.all(
    (['small', 'large'] as const).map(async (name) => {
      const guard = pair[name];
      const inputOf = await formOf(guard);
      return { name, guard, warmup: inputOf(kPlainText), frame: await frameOf(guard, inputOf) };
    }),
  );
  const terms = signal === undefined ? {} : { signal };
  for (const { guard, warmup } of guards)
    for (let round = 0; round < kWarmups; round++) await guard.score(warmup, terms);
  for (const [place, probe] of probes.entries()) {
    for (const { name, guard, frame } of guards) {
      const ids = 'tokens' in probe ? filled(frame, probe.tokens[name], place, guard) : null;
      const startMs = performance.now();
      if (ids) await guard.read(ids, terms);
      else await guard.score((probe as { input: Input }).input, terms);
      timings[name].push(performance.now() - startMs);
    }
    onTimed(place + 1);
  }
  return timings;
}

/** null of no prompts. */
export function latencyOf({ small, large }: Timings): Latency | null {
  if (small.length === 0) return null;
  return { small: median(small), large: median(large), prompts: small.length };
}

/** Of a set's rows, at most `count`, evenly spaced. */
export function spacedRows(rows: number, count: number): number[] {
  const taken = Math.min(rows, count);
  return Array.from({ length: taken }, (_, place) => Math.floor((place * rows) / taken));
}

/** How the guard is asked about a text: by itself, or with rules where it judges by such. */
async function formOf(guard: AskedGuard): Promise<(text: string) => Input> {
  try {
    await guard.encode(kPlainText);
    return (text) => text;
  } catch (error) {
    if (!(error instanceof SafeRouteError && error.code === 'ERR_INPUT')) throw error;
    return (prompt) => ({ prompt, rules: kPlainRules });
  }
}

/** What a template puts before and after a message. */
interface Frame {
  head: Int32Array;
  tail: Int32Array;
}

async function frameOf(guard: AskedGuard, inputOf: (text: string) => Input): Promise<Frame> {
  const [one, other] = await Promise.all([guard.encode(inputOf(kPlainText)), guard.encode(inputOf(kOtherText))]);
  const length = Math.min(one.length, other.length);
  const same = (at: (ids: Int32Array, place: number) => number | undefined) => {
    let count = 0;
    while (count < length && at(one, count) === at(other, count)) count++;
    return count;
  };
  const head = same((ids, place) => ids[place]);
  const tail = Math.min(
    length - head,
    same((ids, place) => ids[ids.length - 1 - place]),
  );
  return { head: one.slice(0, head), tail: one.slice(one.length - tail) };
}

/** A prompt of `tokens` ids with the guard's frame around ids of no meaning; each `place` has its own, so that no prefix of one serves another. */
function filled(
  { head, tail }: Frame,
  tokens: number,
  place: number,
  { vocabSize, contextTokens }: AskedGuard,
): Int32Array {
  const inner = Math.max(1, Math.min(tokens, contextTokens) - head.length - tail.length);
  const ids = new Int32Array(head.length + inner + tail.length);
  ids.set(head);
  ids.set(tail, head.length + inner);
  // A multiplicative walk through the vocabulary; its start tells the prompts apart.
  for (let step = 0; step < inner; step++) ids[head.length + step] = (place * 7919 + step * 104729 + 1) % vocabSize;
  return ids;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]] as [number, number];
  return (low + high) / 2;
}
