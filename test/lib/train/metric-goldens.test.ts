// Every figure and calibration against scikit-learn, SciPy, PyTorch and numpy (test/golden/metric_goldens.py).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { atMost, clopperPearson, upperLimit } from '../../../lib/train/binomial.js';
import { batchPrior, contextualPrior, fitTemperature, logitsOf } from '../../../lib/train/calibrations.js';
import { entropies, escalateAbove } from '../../../lib/train/escalation-rules.js';
import { averagePrecision, classify, entropyBits, scoreErrors, sigmoid } from '../../../lib/train/metrics.js';

interface CalibratedEntropy {
  /** Of the first rows. */
  bits: number[];
  escalated: number[];
}

interface RowsGolden {
  labels: number[];
  safe: number[];
  unsafe: number[];
  f1: number;
  precision: number;
  recall: number;
  accuracy: number;
  fpr: number;
  auprc: number;
  nll: number;
  brier: number;
  ece: number;
  entropy_bits: number[];
  temperature: number;
  temperature_adam: number;
  content_free: { safe: number; unsafe: number };
  entropy_ts: CalibratedEntropy;
  entropy_cc: CalibratedEntropy;
  entropy_bc: CalibratedEntropy;
}

interface BinomialGolden {
  k: number;
  n: number;
  p: number;
  at_most: number;
  at_least: number;
  low: number;
  high: number;
  upper: number;
}

const kPath = join(__dirname, '..', '..', 'fixtures', 'metrics', 'goldens.json');
const goldens = JSON.parse(readFileSync(kPath, 'utf8')) as { rows: RowsGolden[]; binomial: BinomialGolden[] };

function near(actual: number | null, expected: number, tolerance: number, what: string): void {
  assert.ok(actual !== null && Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

for (const [place, golden] of goldens.rows.entries()) {
  describe(`figures of ${golden.labels.length} rows (${place})`, () => {
    const labels = Int8Array.from(golden.labels);
    const [safe, unsafe] = [Float32Array.from(golden.safe), Float32Array.from(golden.unsafe)];
    const margins = logitsOf({ safe, unsafe });
    const scores = margins.map(sigmoid);

    it('agree with scikit-learn', () => {
      const figures = classify(
        labels,
        Uint8Array.from(scores, (score) => (score > 0.5 ? 1 : 0)),
      );
      for (const name of ['f1', 'precision', 'recall', 'accuracy', 'fpr'] as const) {
        near(figures[name], golden[name], 1e-12, name);
      }
      near(averagePrecision(labels, scores), golden.auprc, 1e-12, 'auprc');
      const errors = scoreErrors(labels, margins);
      for (const name of ['nll', 'brier', 'ece'] as const) near(errors[name], golden[name], 1e-12, name);
      golden.entropy_bits.forEach((bits, row) => {
        near(entropyBits(scores[row] as number), bits, 1e-12, `entropy of row ${row}`);
      });
    });

    it('fits the temperature that PyTorch finds by L-BFGS, and by the 1000 steps of Adam of the reference', () => {
      const temperature = fitTemperature(safe, unsafe, labels);
      near(temperature, golden.temperature, 1e-6 * golden.temperature, 'L-BFGS');
      near(temperature, golden.temperature_adam, 1e-5 * golden.temperature, 'Adam');
    });

    it('calibrates as numpy does', () => {
      const calibrations = {
        entropy_ts: { kind: 'temperature', temperature: golden.temperature },
        entropy_cc: { kind: 'contextual', prior: contextualPrior(golden.content_free) },
        entropy_bc: { kind: 'batch', prior: batchPrior(scores) },
      } as const;
      for (const name of ['entropy_ts', 'entropy_cc', 'entropy_bc'] as const) {
        const bits = entropies(margins, calibrations[name]);
        golden[name].bits.forEach((expected, row) => {
          near(bits[row] as number, expected, 1e-9, `${name} of row ${row}`);
        });
        assert.deepEqual([...escalateAbove(bits, 0.5)], golden[name].escalated, name);
      }
    });
  });
}

describe('binomial tails and limits', () => {
  for (const { k, n, p, ...golden } of goldens.binomial) {
    it(`agree with SciPy at ${k} of ${n}, p = ${p}`, () => {
      near(atMost(k, n, p), golden.at_most, 1e-11, 'P(X ≤ k)');
      near(atMost(n - k, n, 1 - p), golden.at_least, 1e-11, 'P(X ≥ k)');
      const [low, high] = clopperPearson(k, n, 0.95);
      near(low, golden.low, 1e-10, 'low');
      near(high, golden.high, 1e-10, 'high');
      near(upperLimit(k, n, 0.1), golden.upper, 1e-10, 'upper');
    });
  }

  it('are two halves of one whole, whatever the sizes', () => {
    for (const n of [1, 2, 15, 16, 17, 100, 4096]) {
      for (const p of [1e-9, 0.01, 0.5, 0.73, 1]) {
        for (const k of [0, 1, n >> 1, n - 1])
          near(atMost(k, n, p) + atMost(n - k - 1, n, 1 - p), 1, 1e-12, `${k} ${n} ${p}`);
      }
    }
  });
});
