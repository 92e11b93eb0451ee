/** What an entropy rule's calibration is, fitted to rows: the temperature, or the prior. */

import { SafeRouteError } from '../errors.js';
import type { EntropyCalibration } from '../options.js';
import type { CalibratedRule, EntropyFit } from './calibration.js';
import { chosenOf, type TableRows } from './calibration-rows.js';
import { affineOf, batchPrior, contextualPrior, fitTemperature, logitsOf } from './calibrations.js';
import { scoreErrors, sigmoid } from './metrics.js';

/** Digits that are written to saferoute.json: far more than a fit can tell. */
const kDigits = 6;

/** null for a rule without one. Throws ERR_DATA where the rows allow no fit. */
export function fitEntropy(rule: CalibratedRule, rows: readonly TableRows[]): EntropyCalibration | null {
  if (rule === 'entropy+ts') {
    const safe = chosenOf(rows, Float32Array, ({ small }) => small.safe);
    const unsafe = chosenOf(rows, Float32Array, ({ small }) => small.unsafe);
    const labels = chosenOf(rows, Int8Array, ({ label }) => label);
    return { kind: 'temperature', temperature: rounded(fitTemperature(safe, unsafe, labels)) };
  }
  if (rule === 'entropy+cc') return { kind: 'contextual', prior: rounded(contextualPrior(contentFreeOf(rows))) };
  if (rule === 'entropy+bc') return { kind: 'batch', prior: rounded(batchPrior(logits(rows).map(sigmoid))) };
  return null;
}

/** How far scores are from probabilities without the calibration and with it, on these rows. */
export function entropyFit(calibration: EntropyCalibration, rows: readonly TableRows[]): EntropyFit {
  const labels = chosenOf(rows, Int8Array, ({ label }) => label);
  const before = logits(rows);
  const { scale, shift } = affineOf(calibration);
  const after = before.map((z) => scale * z + shift);
  return { before: scoreErrors(labels, before), after: scoreErrors(labels, after) };
}

/** `(rows)`: the small guard's log-odds. */
function logits(rows: readonly TableRows[]): Float64Array {
  return chosenOf(rows, Float64Array, ({ small }) => logitsOf(small));
}

function contentFreeOf(rows: readonly TableRows[]): { safe: number; unsafe: number } {
  const found = rows.find(({ table }) => table.contentFree)?.table.contentFree;
  if (found) return found;
  throw new SafeRouteError(
    'ERR_DATA',
    `${rows[0]?.table.path}: entropy+cc needs the small guard's reading of a message of one space, and the file has none`,
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(kDigits));
}
