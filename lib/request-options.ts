/** Checks what callers pass beside an input: the signal, the id and the like. */

import { rangeError, typeError } from './errors.js';
import type { CheckAllOptions, CheckOptions, ReadOptions, RequestOptions } from './options.js';
import { optionGroup } from './validate-options.js';

const kConcurrency = 64; // rows in flight by default: enough to fill the engine's batches
const kMaxConcurrency = 65536;

export interface RequestSettings {
  signal: AbortSignal | null;
  id: string | null;
}

export function parseCheckOptions(options: CheckOptions | undefined): RequestSettings {
  const { signal, id } = optionGroup(options, ['signal', 'id'], 'options');
  if (id !== undefined && typeof id !== 'string') throw typeError('options.id', 'a string', id);
  return { signal: requireSignal(signal), id: id ?? null };
}

export function parseRequestOptions(options: RequestOptions | undefined): { signal: AbortSignal | null } {
  return { signal: requireSignal(optionGroup(options, ['signal'], 'options').signal) };
}

export function parseReadOptions(options: ReadOptions | undefined): { signal: AbortSignal | null; feature: boolean } {
  const { signal, feature } = optionGroup(options, ['signal', 'feature'], 'options');
  return { signal: requireSignal(signal), feature: flag(feature, 'options.feature', false) };
}

export interface CheckAllSettings {
  signal: AbortSignal | null;
  ordered: boolean;
  settled: boolean;
  concurrency: number;
}

export function parseCheckAllOptions(options: CheckAllOptions | undefined): CheckAllSettings {
  const known = ['signal', 'ordered', 'settled', 'concurrency'];
  const { signal, ordered, settled, concurrency = kConcurrency } = optionGroup(options, known, 'options');
  if (typeof concurrency !== 'number') throw typeError('options.concurrency', 'a number', concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > kMaxConcurrency) {
    throw rangeError('options.concurrency', `a whole number from 1 to ${kMaxConcurrency}`, concurrency);
  }
  return {
    signal: requireSignal(signal),
    ordered: flag(ordered, 'options.ordered', true),
    settled: flag(settled, 'options.settled', false),
    concurrency,
  };
}

export function requireSignal(signal: unknown): AbortSignal | null {
  if (signal === undefined || signal === null) return null;
  if (!(signal instanceof AbortSignal)) throw typeError('options.signal', 'an AbortSignal', signal);
  return signal;
}

export function flag(value: unknown, where: string, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value !== 'boolean') throw typeError(where, 'a boolean', value);
  return value;
}
