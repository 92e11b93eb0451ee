/** Reads an evaluation back and holds every figure of it against what it must be: a damaged file must not become a report. */

import { readFile, stat } from 'node:fs/promises';
import { describe, SafeRouteError } from '../../errors.js';
import type { Evaluation, SetEvaluation } from '../evaluation.js';
import { kRuleNames } from './rules.js';
import {
  amount,
  anything,
  count,
  list,
  misfit,
  nullable,
  object,
  oneOf,
  optional,
  recordOf,
  type Shape,
  share,
  text,
} from './shape.js';

const kFormat = 'saferoute-evaluation/1';
const kMaxBytes = 256 << 20; // far over any evaluation: a few hundred KiB for each set
const kCountSlack = 1e-3; // rows that sums of expected counts may be off by

const kLatency = nullable(object({ small: amount, large: amount, prompts: count }));
const kClassificationMembers = {
  // Expected counts where a rule goes by chance: no whole numbers.
  confusion: object({ tp: amount, fp: amount, tn: amount, fn: amount }),
  f1: nullable(share),
  precision: nullable(share),
  recall: nullable(share),
  accuracy: share,
  fpr: nullable(share),
  auprc: nullable(share),
};
const kClassification = object(kClassificationMembers);
const kRule = object({
  ...kClassificationMembers,
  escalated: share,
  routing_f1: nullable(share),
  ms_per_row: nullable(amount),
  flop_per_row: nullable(amount),
});
const kCurve = list(object({ escalated: share, f1: nullable(share), ms_per_row: nullable(amount) }));
const kHistograms = list(object({ name: text, counts: list(count) }));
const kReliability = list(object({ score: share, unsafe: share, rows: count }));
const kSettings = object({
  threshold: optional(amount),
  share: optional(share),
  temperature: optional(amount),
  prior: optional(share),
  large_weight: optional(share),
});
const kDomain = object({
  name: text,
  rows: count,
  unsafe: count,
  small: kClassification,
  large: kClassification,
  only_large_right: count,
  only_small_right: count,
  escalation: oneOf(['helps', 'hurts', 'unclear']),
  p_value: share,
  p_holm: share,
});
const kBound = object({
  rule: oneOf(kRuleNames),
  loss: oneOf(['log', 'zero-one']),
  adaptive: amount,
  oracle: amount,
  m: amount,
  misrouted: share,
  bound: amount,
});
const kBoundaryRow = object({
  id: text,
  source: text,
  label: oneOf(['safe', 'unsafe']),
  small: share,
  large: share,
  hardness: nullable(share),
});
const kMean = {
  rules: recordOf(kRuleNames, kRule),
  curves: recordOf(kRuleNames, kCurve),
  area: recordOf(kRuleNames, nullable(share)),
};
const kSet = object({
  name: text,
  path: text,
  rows: count,
  unsafe: count,
  hard: share,
  latency_ms: kLatency,
  ...kMean,
  bounds: list(kBound),
  domains: list(kDomain),
  scores: object({ small: kHistograms, large: kHistograms }),
  hardness: nullable(kHistograms),
  reliability: object({ small: kReliability, large: kReliability }),
  boundary: list(kBoundaryRow),
});
const kEvaluation: Shape = object({
  created: text,
  pair: object({
    small: text,
    large: text,
    router: nullable(text),
    benefit: nullable(text),
    escalation: anything,
    unsafe_at: share,
  }),
  machine: object({ cpu: text, threads: count, precision: text }),
  settings: recordOf(kRuleNames, kSettings),
  notes: list(text),
  latency_ms: kLatency,
  sets: list(kSet),
  mean: object({ sets: list(text), ...kMean }),
});

/** Throws ERR_DATA naming the file, the place in it, the value and the limit. */
export async function readEvaluation(path: string): Promise<Evaluation> {
  const { size } = await stat(path);
  if (size > kMaxBytes) refuse(path, `has ${size} bytes, and an evaluation has at most ${kMaxBytes}`);
  const bytes = await readFile(path);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    refuse(path, `is not an evaluation: not JSON (${(error as Error).message})`, error);
  }
  return requireEvaluation(value, path);
}

/** `value` as the evaluation that it must be; `source` is what an error calls it. */
export function requireEvaluation(value: unknown, source: string): Evaluation {
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof format !== 'string' || !format.startsWith('saferoute-evaluation/')) {
    refuse(source, `is not an evaluation: its format must be '${kFormat}', got ${describe(format)}`);
  }
  if (format !== kFormat) {
    refuse(source, `is an evaluation of another version: this build reads '${kFormat}', got ${describe(format)}`);
  }
  kEvaluation(value, `${source}: `);
  const evaluation = value as Evaluation;
  if (evaluation.sets.length === 0) refuse(source, 'holds no set: there is nothing to report');
  if (Number.isNaN(Date.parse(evaluation.created))) misfit(`${source}: created`, 'a date', evaluation.created);
  for (const [index, set] of evaluation.sets.entries()) requireWholeSet(set, `${source}: sets[${index}]`);
  return evaluation;
}

/** A set whose counts contradict each other was cut, mixed up or edited. */
function requireWholeSet(set: SetEvaluation, place: string): void {
  if (set.unsafe > set.rows) misfit(`${place}.unsafe`, `at most its ${set.rows} rows`, set.unsafe);
  for (const [name, { confusion }] of Object.entries(set.rules)) {
    const { tp, fp, tn, fn } = confusion;
    const rows = tp + fp + tn + fn;
    if (Math.abs(rows - set.rows) > kCountSlack)
      misfit(`${place}.rules.${name}.confusion`, `of ${set.rows} rows altogether`, rows);
    if (Math.abs(tp + fn - set.unsafe) > kCountSlack)
      misfit(`${place}.rules.${name}.confusion`, `of ${set.unsafe} unsafe rows`, tp + fn);
  }
}

function refuse(path: string, problem: string, cause?: unknown): never {
  throw new SafeRouteError('ERR_DATA', `${path} ${problem}`, cause === undefined ? {} : { cause });
}
