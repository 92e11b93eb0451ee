/** The options of `calibrate`: defaults, and errors that name option, value and limit. */

import { rangeError, typeError } from '../errors.js';
import { type CalibratedRule, type CalibrationTarget, type GuardLatency, kCalibratedRules } from './calibration.js';

export interface CalibrateOptions {
  target: CalibrationTarget;
  /** Default: the router's, where there is a router, else entropy's. */
  rule?: CalibratedRule;
  /** A router file. Default: the pair's. */
  router?: string;
  /**
   * A pair's directory or its saferoute.json, which gets the threshold; made where it is not there. Its `unsafeAt` and `combine` count in what
   * the pair makes of a row. Default: nothing is written.
   */
  pair?: string;
  /** That the promised rate and the band of the rate hold. Default 0.95. */
  confidence?: number;
  /** Every source weighs as much as any other, however many rows it has. Default: every row weighs the same. */
  balance?: 'sources';
  /** Features files whose rows temperature or prior are fitted on. Default: the calibration's own. */
  fit?: string | string[];
  /** For a target of latency. */
  latency?: GuardLatency;
  signal?: AbortSignal;
  /** Before each features file. */
  onProgress?: (progress: CalibrateProgress) => void;
}

export interface CalibrateProgress {
  path: string;
  /** Files that are done, of all. */
  done: number;
  files: number;
}

export interface CalibrateRequest {
  features: string[];
  target: CalibrationTarget;
  rule: CalibratedRule | null;
  router: string | null;
  pair: string | null;
  confidence: number;
  balanced: boolean;
  fit: string[] | null;
  latency: GuardLatency | null;
  signal: AbortSignal | undefined;
  onProgress: (progress: CalibrateProgress) => void;
}

const kConfidence = 0.95;
const kTargetKinds = ['f1', 'recall', 'escalation', 'latency', 'gain'] as const;

export function parseCalibrateOptions(features: unknown, options: CalibrateOptions): CalibrateRequest {
  if (typeof options !== 'object' || options === null) throw typeError('options', 'an object', options);
  const { target, rule, router, pair, confidence = kConfidence, balance, fit, latency, signal, onProgress } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw typeError('options.signal', 'an AbortSignal', signal);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw typeError('options.onProgress', 'a function', onProgress);
  }
  return {
    features: paths('features', features),
    target: parseTarget(target),
    rule: rule === undefined ? null : word('options.rule', rule, kCalibratedRules),
    router: router === undefined ? null : path('options.router', router),
    pair: pair === undefined ? null : path('options.pair', pair),
    confidence: numberBetween('options.confidence', confidence, 0, 1),
    balanced: balance !== undefined && word('options.balance', balance, ['sources']) === 'sources',
    fit: fit === undefined ? null : paths('options.fit', fit),
    latency: latency === undefined ? null : parseLatency(latency),
    signal,
    onProgress: onProgress ?? (() => {}),
  };
}

function parseTarget(target: unknown): CalibrationTarget {
  if (typeof target !== 'object' || target === null) throw typeError('options.target', 'an object with kind', target);
  const { kind, atLeast, atMost } = target as Record<string, unknown>;
  const known = word('options.target.kind', kind, kTargetKinds);
  if (known === 'recall') return { kind: known, atLeast: share('options.target.atLeast', atLeast) };
  if (known === 'escalation') return { kind: known, atMost: share('options.target.atMost', atMost) };
  if (known === 'latency') return { kind: known, atMost: positive('options.target.atMost', atMost) };
  return { kind: known };
}

function parseLatency(latency: unknown): GuardLatency {
  if (typeof latency !== 'object' || latency === null) {
    throw typeError('options.latency', 'an object with small and large', latency);
  }
  const { small, large } = latency as Record<string, unknown>;
  return { small: positive('options.latency.small', small), large: positive('options.latency.large', large) };
}

function paths(what: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [path(what, value)];
  if (value.length === 0) throw rangeError(what, 'one path or more', value);
  return value.map((one, place) => path(`${what}[${place}]`, one));
}

function path(what: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw typeError(what, 'a path', value);
}

function word<const T extends string>(what: string, value: unknown, words: readonly T[]): T {
  const expected = `one of ${words.map((one) => `'${one}'`).join(', ')}`;
  if (typeof value !== 'string') throw typeError(what, expected, value);
  const found = words.find((one) => one === value);
  if (found === undefined) throw rangeError(what, expected, value);
  return found;
}

/** Above 0, at most 1: a target of 0 is met by no threshold, or by every one. */
function share(what: string, value: unknown): number {
  if (typeof value !== 'number') throw typeError(what, 'a number', value);
  if (!(value > 0 && value <= 1)) throw rangeError(what, 'above 0 and at most 1', value);
  return value;
}

function numberBetween(what: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number') throw typeError(what, 'a number', value);
  if (!(value > low && value < high)) throw rangeError(what, `between ${low} and ${high}`, value);
  return value;
}

function positive(what: string, value: unknown): number {
  if (typeof value !== 'number') throw typeError(what, 'a number', value);
  if (!(value > 0 && Number.isFinite(value))) throw rangeError(what, 'a finite number above 0', value);
  return value;
}
