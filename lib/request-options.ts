/** Checks what callers pass beside an input: the signal, the id and the like. */

import { rangeError, typeError } from './errors.js';
import { choice, count, flag, optionGroup, parseSignal } from './option-values.js';
import type { CheckAllOptions, CheckOptions, ReadOptions, RequestOptions, ScheduledOptions } from './options.js';

const kConcurrency = 64; // rows in flight by default: enough to fill the engine's batches
const kMaxConcurrency = 65536;
const kScheduledKeys = ['signal', 'priority', 'deadline'];
const kInteractiveFirst = ['interactive', 'bulk'] as const;
const kBulkFirst = ['bulk', 'interactive'] as const;

const kMaxDeadlineMs = 2 ** 31 - 1; // the longest that a timer of Node waits

/** What a request is asked under: who may give it up, when it is given up, and which requests it lets pass. */
export interface RequestTerms {
  signal: AbortSignal | null;
  bulk: boolean;
  /** From the start of the request; null: none. */
  deadlineMs: number | null;
}

export interface RequestSettings extends RequestTerms {
  id: string | null;
}

export function parseCheckOptions(options: CheckOptions | undefined): RequestSettings {
  const { id, ...scheduled } = optionGroup(options, [...kScheduledKeys, 'id'], 'options');
  if (id !== undefined && typeof id !== 'string') throw typeError('options.id', 'a string', id);
  return { ...requestTerms(scheduled, false), id: id ?? null };
}

export function parseScheduledOptions(options: ScheduledOptions | undefined): RequestTerms {
  return requestTerms(optionGroup(options, kScheduledKeys, 'options'), false);
}

export function parseRequestOptions(options: RequestOptions | undefined): { signal: AbortSignal | null } {
  return { signal: parseSignal(optionGroup(options, ['signal'], 'options').signal) };
}

export function parseReadOptions(options: ReadOptions | undefined): RequestTerms & { feature: boolean } {
  const { feature, ...scheduled } = optionGroup(options, [...kScheduledKeys, 'feature'], 'options');
  return { ...requestTerms(scheduled, false), feature: flag(feature, 'options.feature', false) };
}

/** The terms hold for each row; `signal` for all of them together. */
export interface CheckAllSettings extends RequestTerms {
  ordered: boolean;
  settled: boolean;
  concurrency: number;
}

/** More rows in flight than `queueRequests` would only refuse one another. */
export function parseCheckAllOptions(options: CheckAllOptions | undefined, queueRequests: number): CheckAllSettings {
  const known = [...kScheduledKeys, 'ordered', 'settled', 'concurrency'];
  const { ordered, settled, concurrency, ...scheduled } = optionGroup(options, known, 'options');
  const wanted = count(concurrency, kConcurrency, 1, kMaxConcurrency, 'options.concurrency');
  return {
    ...requestTerms(scheduled, true),
    ordered: flag(ordered, 'options.ordered', true),
    settled: flag(settled, 'options.settled', false),
    concurrency: Math.min(wanted, queueRequests),
  };
}

function requestTerms({ signal, priority, deadline }: Record<string, unknown>, bulkByDefault: boolean): RequestTerms {
  return {
    signal: parseSignal(signal),
    bulk: choice(priority, bulkByDefault ? kBulkFirst : kInteractiveFirst, 'options.priority') === 'bulk',
    deadlineMs: parseDeadline(deadline),
  };
}

function parseDeadline(deadline: unknown): number | null {
  if (deadline === undefined) return null;
  if (typeof deadline !== 'number') throw typeError('options.deadline', 'a number', deadline);
  if (!(deadline >= 0 && deadline <= kMaxDeadlineMs)) {
    throw rangeError('options.deadline', `from 0 to ${kMaxDeadlineMs} milliseconds`, deadline);
  }
  return deadline;
}
