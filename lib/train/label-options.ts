/** What `label` is asked for, and what it tells. */

import { SafeRouteError, typeError } from '../errors.js';
import { kNoValves } from '../escalation-settings.js';
import type { LoadPlan } from '../load.js';
import { optionGroup, parseListener, parsePath, parsePaths, parseSignal } from '../option-values.js';
import type { GuardOptions, GuardSource } from '../options.js';
import { planPair } from '../pair-plan.js';
import { parseGuardOptions, parsePairOptions } from '../validate-options.js';

export interface LabelRequest {
  /** Both guards; without them those of `pair`, and without that the embedded ones. */
  small?: GuardSource;
  large?: GuardSource;
  /** A saferoute.json or its folder. */
  pair?: string;
  /** Files of JSON lines: `prompt` and `response`, or `messages`; `rules`; `label`; `id`, `source`, `group`. */
  data: string | readonly string[];
  /** The features file; the journal and the list of failed rows lie beside it. */
  output: string;
  /** How the guards are loaded. */
  options?: GuardOptions;
  /** Stops the work; what is done is in the journal. */
  signal?: AbortSignal;
  onProgress?: (progress: LabelProgress) => void;
}

export interface LabelProgress {
  stage: 'checking' | 'loading' | 'labelling' | 'writing';
  /** Rows behind us: read, labelled before, or refused. */
  done: number;
  /** Of all files; null while they are checked. */
  rows: number | null;
  failed: number;
  /** Rows that were labelled in this run, per second, and the seconds that the rest will take at that rate; null before the first row. */
  rowsPerSecond: number | null;
  secondsLeft: number | null;
}

/** A row that has no features because no guard could read it. Without any text of the row. */
export interface FailedRow {
  id: string;
  /** `<file>:<line>` */
  line: string;
  code: string;
  message: string;
}

export interface LabelSummary {
  path: string;
  /** In the features file. */
  rows: number;
  /** Of them, those that only the large guard gets right. */
  hard: number;
  unsafe: number;
  /** Rows that an earlier run had labelled. */
  resumed: number;
  failed: FailedRow[];
  /** Where they are listed; null where there are none. */
  failedPath: string | null;
  /** What learning from these rows will suffer from. */
  warnings: string[];
}

/** A request, checked. */
export interface LabelPlan {
  load: LoadPlan & { large: NonNullable<LoadPlan['large']> };
  files: string[];
  output: string;
  signal: AbortSignal | null;
  onProgress: (progress: LabelProgress) => void;
}

const kKeys = ['small', 'large', 'pair', 'data', 'output', 'options', 'signal', 'onProgress'];

/** Throws a TypeError or RangeError for a wrong request, ERR_SPEC where it leaves a guard out. */
export async function parseLabelRequest(value: unknown): Promise<LabelPlan> {
  if (value === undefined) throw typeError('request', 'an object', value);
  const { small, large, pair, data, output, options, signal, onProgress } = optionGroup(value, kKeys, 'request');
  const files = parsePaths(data, 'request.data');
  parseGuardOptions(options); // no more than a guard's options: which rows go on is not up to the caller
  const settings = parsePairOptions({ ...(options as GuardOptions | undefined), small, large });
  const plan = await planPair(settings, pair === undefined ? null : parsePath(pair, 'request.pair'));
  if (plan.large === null) throw new SafeRouteError('ERR_SPEC', 'rows are labelled by two guards; large is missing');
  return {
    // Whatever the pair's own rule: both guards read every row.
    load: { ...plan, large: plan.large, router: null, escalation: { kind: 'always' }, valves: kNoValves, band: null },
    files,
    output: parsePath(output, 'request.output'),
    signal: parseSignal(signal),
    onProgress: parseListener(onProgress, 'request.onProgress'),
  };
}
