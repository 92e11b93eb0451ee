/** What `evaluate` is asked for, and its validation. */

import { basename, extname, resolve } from 'node:path';
import { kShare } from '../checked-values.js';
import { rangeError, SafeRouteError, typeError } from '../errors.js';
import { count, numberIn, optionGroup, parseListener, parsePath, parseSignal } from '../option-values.js';
import type { GuardOptions, GuardSource, PairOptions } from '../options.js';
import { parseGuardOptions, parsePairOptions } from '../validate-options.js';

/** Labelled rows (.jsonl), or the features file (.safetensors) that was made of them. */
export type EvaluationData = string | { name: string; path: string };

export interface EvaluateProgress {
  /** Rows are labelled, rows are timed, sets are judged. */
  stage: 'label' | 'time' | 'judge';
  set: string;
  /** Rows of the set; when sets are judged, sets. */
  done: number;
  /** null while it is not known. */
  total: number | null;
  /** What the stage takes for the rest of the set at the rate so far; null where nothing is known yet. */
  secondsLeft: number | null;
}

export interface EvaluateOptions {
  /** A saferoute.json or its folder; the embedded pair where neither it nor a small guard is named. */
  pair?: string;
  /** These three override what saferoute.json says. */
  small?: GuardSource;
  large?: GuardSource;
  router?: string | null;
  /** A score above this is unsafe. Default: that of saferoute.json, or 0.5. */
  unsafeAt?: number;
  /** How the guards are loaded. */
  options?: GuardOptions;
  /** Sets to judge; each is named for its file unless it says otherwise. */
  data: readonly EvaluationData[];
  /** A router that was trained to predict the gain of escalating. */
  benefit?: string | null;
  /** Features file that temperature and mean score are fitted on: rows that are not among those judged. */
  calibration?: string | null;
  /** Directory where the features of labelled rows are kept and found again; a temporary one where none is named. */
  work?: string | null;
  /** Rows of each set that are timed, one at a time. Default 100; 0: none, and no guard is loaded for features files. */
  latencyPrompts?: number;
  /** Share that the budget rule escalates. Default: that of saferoute.json, or 0.2. */
  budget?: number;
  /** Weight of the large guard's logit in the ensemble. Default: that of saferoute.json, or 0.5. */
  largeWeight?: number;
  signal?: AbortSignal;
  onProgress?: (progress: EvaluateProgress) => void;
}

export interface NamedSet {
  name: string;
  /** Absolute. */
  path: string;
  kind: 'rows' | 'features';
}

export interface EvaluatePlan {
  pair: string | undefined;
  /** The parts and how they are loaded, as `SafeRoute.load` takes them. */
  parts: PairOptions;
  /** Of the parts, what goes for a guard alone. */
  options: GuardOptions;
  sets: NamedSet[];
  benefit: string | null;
  calibration: string | null;
  work: string | null;
  latencyPrompts: number;
  budget: number | null;
  largeWeight: number | null;
  signal: AbortSignal | undefined;
  onProgress: (progress: EvaluateProgress) => void;
}

const kLatencyPrompts = 100;
const kMostLatencyPrompts = 1_000_000;
const kKinds: Readonly<Record<string, NamedSet['kind']>> = { '.jsonl': 'rows', '.safetensors': 'features' };
const kKeys = [
  'pair',
  'small',
  'large',
  'router',
  'unsafeAt',
  'options',
  'data',
  'benefit',
  'calibration',
  'work',
  'latencyPrompts',
  'budget',
  'largeWeight',
  'signal',
  'onProgress',
];

/** Throws a TypeError or RangeError for a wrong option, ERR_DATA for data that cannot be sets side by side. */
export function parseEvaluateOptions(options: EvaluateOptions): EvaluatePlan {
  const given = optionGroup(options, kKeys, 'options') as unknown as EvaluateOptions;
  parseSignal(given.signal);
  parseGuardOptions(given.options); // no more than a guard's options
  const parts = { ...given.options, ...named(given, ['small', 'large', 'router', 'unsafeAt']) };
  parsePairOptions(parts);
  const sets = namedSets(given.data);
  const calibration = optionalPath(given.calibration, 'options.calibration');
  const judged = sets.find(({ path }) => path === calibration);
  if (judged !== undefined) {
    throw new SafeRouteError('ERR_DATA', `${judged.path}: a calibration is never fitted on rows that are judged by it`);
  }
  return {
    pair: given.pair === undefined ? undefined : parsePath(given.pair, 'options.pair'),
    parts,
    options: given.options ?? {},
    sets,
    benefit: optionalPath(given.benefit, 'options.benefit'),
    calibration,
    work: optionalPath(given.work, 'options.work'),
    latencyPrompts: count(given.latencyPrompts, kLatencyPrompts, 0, kMostLatencyPrompts, 'options.latencyPrompts'),
    budget: optionalShare(given.budget, 'options.budget'),
    largeWeight: optionalShare(given.largeWeight, 'options.largeWeight'),
    signal: given.signal,
    onProgress: parseListener(given.onProgress, 'options.onProgress'),
  };
}

function namedSets(data: unknown): NamedSet[] {
  if (!Array.isArray(data)) throw typeError('options.data', 'an array of files', data);
  if (data.length === 0) throw rangeError('options.data', 'at least one file', data);
  const sets = data.map((one, place) => namedSet(one, `options.data[${place}]`));
  const seen = new Map<string, string>();
  for (const { name, path } of sets) {
    const other = seen.get(name);
    if (other !== undefined) {
      throw new SafeRouteError(
        'ERR_DATA',
        `two sets are called '${name}': ${other} and ${path}; name one of them (name=path)`,
      );
    }
    seen.set(name, path);
  }
  return sets;
}

function namedSet(value: unknown, where: string): NamedSet {
  const { name, path } = typeof value === 'string' ? { name: null, path: value } : readSet(value, where);
  if (typeof path !== 'string' || path === '') throw typeError(where, 'the path of a file', path);
  const extension = extname(path).toLowerCase();
  const kind = kKinds[extension];
  if (kind === undefined) {
    throw new SafeRouteError(
      'ERR_DATA',
      `${path}: data are labelled rows (.jsonl) or features (.safetensors), not '${extension}'`,
    );
  }
  return { name: name ?? basename(path, extname(path)), path: resolve(path), kind };
}

function readSet(value: unknown, where: string): { name: string; path: unknown } {
  if (typeof value !== 'object' || value === null)
    throw typeError(where, 'a path, or an object with name and path', value);
  const { name, path } = value as Record<string, unknown>;
  if (typeof name !== 'string' || name.trim() === '') throw typeError(`${where}.name`, 'a name', name);
  return { name, path };
}

function optionalPath(value: unknown, where: string): string | null {
  return value === undefined || value === null ? null : resolve(parsePath(value, where));
}

function optionalShare(value: unknown, where: string): number | null {
  return value === undefined ? null : numberIn(value, kShare, where);
}

/** Those of the members that are there. */
function named<K extends keyof EvaluateOptions>(
  options: EvaluateOptions,
  keys: readonly K[],
): Pick<EvaluateOptions, K> {
  const there = keys.filter((key) => options[key] !== undefined);
  return Object.fromEntries(there.map((key) => [key, options[key]])) as Pick<EvaluateOptions, K>;
}
