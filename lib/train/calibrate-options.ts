/** The options of `calibrate`: defaults, and errors that name option, value and limit. */

import { rangeError, typeError } from '../errors.js';
import { choice, numberIn, optionGroup, parseListener, parsePath, parsePaths, parseSignal } from '../option-values.js';
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
  signal: AbortSignal | null;
  onProgress: (progress: CalibrateProgress) => void;
}

const kConfidence = 0.95;
const kBetween = { min: 0, max: 1, open: true } as const;
const kKeys = ['target', 'rule', 'router', 'pair', 'confidence', 'balance', 'fit', 'latency', 'signal', 'onProgress'];
const kTargetKinds = ['f1', 'recall', 'escalation', 'latency', 'gain'] as const;
/** The bound that each kind of target has. */
const kBounds = { f1: null, recall: 'atLeast', escalation: 'atMost', latency: 'atMost', gain: null };

export function parseCalibrateOptions(features: unknown, value: CalibrateOptions): CalibrateRequest {
  if (value === undefined) throw typeError('options', 'an object with target', value);
  const options = optionGroup(value, kKeys, 'options');
  return {
    features: parsePaths(features, 'features'),
    target: parseTarget(options.target),
    rule: given(options.rule, (rule) => choice(rule, kCalibratedRules, 'options.rule')),
    router: given(options.router, (path) => parsePath(path, 'options.router')),
    pair: given(options.pair, (path) => parsePath(path, 'options.pair')),
    confidence: numberIn(options.confidence ?? kConfidence, kBetween, 'options.confidence'),
    balanced: given(options.balance, (balance) => choice(balance, ['sources'], 'options.balance')) !== null,
    fit: given(options.fit, (fit) => parsePaths(fit, 'options.fit')),
    latency: given(options.latency, parseLatency),
    signal: parseSignal(options.signal),
    onProgress: parseListener(options.onProgress, 'options.onProgress'),
  };
}

function parseTarget(value: unknown): CalibrationTarget {
  if (value === undefined) throw typeError('options.target', 'an object with kind', value);
  const members = optionGroup(value, ['kind', 'atLeast', 'atMost'], 'options.target');
  if (members.kind === undefined) throw typeError('options.target.kind', 'a word', members.kind);
  const kind = choice(members.kind, kTargetKinds, 'options.target.kind');
  const bound = kBounds[kind];
  const strange = Object.keys(members).find((key) => key !== 'kind' && key !== bound);
  if (strange !== undefined)
    throw typeError(`options.target.${strange}`, `left out of a target of ${kind}`, members[strange]);
  if (kind === 'recall') return { kind, atLeast: share(members.atLeast, 'options.target.atLeast') };
  if (kind === 'escalation') return { kind, atMost: share(members.atMost, 'options.target.atMost') };
  if (kind === 'latency') return { kind, atMost: positive(members.atMost, 'options.target.atMost') };
  return { kind };
}

function parseLatency(value: unknown): GuardLatency {
  const { small, large } = optionGroup(value, ['small', 'large'], 'options.latency');
  return { small: positive(small, 'options.latency.small'), large: positive(large, 'options.latency.large') };
}

/** null where nothing is. */
function given<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === undefined ? null : read(value);
}

/** Above 0: a target of 0 is met by no threshold, or by every one. */
function share(value: unknown, where: string): number {
  if (typeof value !== 'number') throw typeError(where, 'a number', value);
  if (!(value > 0 && value <= 1)) throw rangeError(where, 'above 0 and at most 1', value);
  return value;
}

function positive(value: unknown, where: string): number {
  if (typeof value !== 'number') throw typeError(where, 'a number', value);
  if (!(value > 0 && Number.isFinite(value))) throw rangeError(where, 'a finite number above 0', value);
  return value;
}
