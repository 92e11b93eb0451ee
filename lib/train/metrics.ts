/**
 * Figures of flags and of scores against labels. Shares as scikit-learn computes them; where scikit-learn puts a 0 for a share of nothing,
 * these are null.
 */

import { rangeError, SafeRouteError } from '../errors.js';
import type { Classification, Confusion } from './evaluation.js';

/** Of flags alone: without a score there is no AUPRC. */
export type FlagFigures = Omit<Classification, 'auprc'>;

/** How far scores are from the labels as probabilities; 0 is best in each. */
export interface ScoreErrors {
  /** Mean negative log-likelihood, nats. */
  nll: number;
  /** Mean squared distance of score and label (Brier 1950). */
  brier: number;
  /** Expected calibration error (Guo et al. 2017, arXiv 1706.04599, over P(unsafe)): mean distance of score and unsafe share over 10 bins. */
  ece: number;
}

const kBins = 10;

/** Both `(rows)`; 1 in `labels`: unsafe, 1 in `flags`: called unsafe. */
export function classify(labels: Int8Array, flags: Uint8Array): FlagFigures {
  requireRows('flags', flags.length, labels.length);
  const confusion: Confusion = { tp: 0, fp: 0, tn: 0, fn: 0 };
  for (let row = 0; row < labels.length; row++) confusion[cellOf(labels[row] as number, flags[row] as number)]++;
  return figuresOf(confusion);
}

/** The cell that a row counts in. */
export function cellOf(label: number, flag: number): keyof Confusion {
  if (flag) return label ? 'tp' : 'fp';
  return label ? 'fn' : 'tn';
}

/** The shares that follow from the counts, which may be weights. At least one row must be counted. */
export function figuresOf(confusion: Confusion): FlagFigures {
  const { tp, fp, tn, fn } = confusion;
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);
  return {
    confusion,
    f1: share(2 * tp, 2 * tp + fp + fn),
    precision: share(tp, tp + fp),
    recall: share(tp, tp + fn),
    accuracy: (tp + tn) / (tp + fp + tn + fn),
    fpr: share(fp, fp + tn),
  };
}

/**
 * AUPRC as scikit-learn's average_precision_score: Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores from the highest down, so that rows of one score
 * come in together. Both `(rows)`; null unless both classes are there.
 */
export function averagePrecision(labels: Int8Array, scores: Float32Array | Float64Array): number | null {
  requireRows('scores', scores.length, labels.length);
  requireFinite('score', scores);
  const order = Uint32Array.from(scores, (_, row) => row).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const unsafe = labels.reduce((sum, label) => sum + label, 0);
  if (unsafe === 0 || unsafe === labels.length) return null;
  let [tp, tpBefore, sum] = [0, 0, 0];
  for (let place = 0; place < order.length; place++) {
    const row = order[place] as number;
    tp += labels[row] as number;
    const tied = place + 1 < order.length && scores[order[place + 1] as number] === scores[row];
    if (tied) continue;
    sum += ((tp - tpBefore) / unsafe) * (tp / (place + 1));
    tpBefore = tp;
  }
  return sum;
}

/** Of the scores σ(`logits`); both `(rows)`, at least one. */
export function scoreErrors(labels: Int8Array, logits: Float64Array): ScoreErrors {
  requireRows('logits', logits.length, labels.length);
  requireFinite('logit', logits);
  const bins = { score: new Float64Array(kBins), unsafe: new Float64Array(kBins) };
  let [nll, brier] = [0, 0];
  for (let row = 0; row < labels.length; row++) {
    const [label, z] = [labels[row] as number, logits[row] as number];
    const score = sigmoid(z);
    nll += softplus(label ? -z : z);
    brier += (score - label) ** 2;
    const bin = Math.min(Math.floor(score * kBins), kBins - 1);
    bins.score[bin] = (bins.score[bin] as number) + score;
    bins.unsafe[bin] = (bins.unsafe[bin] as number) + label;
  }
  const ece = bins.score.reduce((sum, score, bin) => sum + Math.abs(score - (bins.unsafe[bin] as number)), 0);
  return { nll: nll / labels.length, brier: brier / labels.length, ece: ece / labels.length };
}

/** Entropy of a two-way distribution: −p log₂p − (1−p) log₂(1−p), 0 at p = 0 and p = 1 (SafeRoute, arXiv 2502.12464, §4.1). */
export function entropyBits(p: number): number {
  const term = (q: number) => (q > 0 ? -q * Math.log2(q) : 0);
  return term(p) + term(1 - p);
}

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}

/** log(1 + eᶻ), without overflow. */
export function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

function requireRows(what: string, actual: number, rows: number): void {
  if (rows === 0) throw new SafeRouteError('ERR_DATA', 'there are no rows to measure');
  if (actual !== rows) throw rangeError(`the number of ${what}`, `that of the labels, ${rows}`, actual);
}

/** Throws ERR_NOT_FINITE naming the first row that is not. */
export function requireFinite(what: string, values: Float32Array | Float64Array): void {
  const row = values.findIndex((value) => !Number.isFinite(value));
  if (row !== -1) throw new SafeRouteError('ERR_NOT_FINITE', `the ${what} of row ${row} is ${values[row]}`);
}
