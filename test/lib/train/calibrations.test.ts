// What the goldens cannot show of the calibrations and figures: laws that hold for any rows, and what is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { affineOf, batchPrior, contextualPrior, fitTemperature } from '../../../lib/train/calibrations.js';
import { averagePrecision, classify, scoreErrors, sigmoid } from '../../../lib/train/metrics.js';
import { coded } from '../rejected.js';
import { seededRandom } from './seeded-random.js';

function randomRows(random: () => number, rows: number) {
  const labels = Int8Array.from({ length: rows }, (_, row) => (row < 2 ? row : random() < 0.4 ? 1 : 0));
  const noise = () => 4 * (random() + random() + random() - 1.5);
  const unsafe = Float32Array.from(labels, (label) => 2 * label - 1 + noise());
  // Logits that a single can hold, halved or not.
  const halves = unsafe.map((value) => Math.round(value * 64) / 64);
  return { labels, safe: new Float32Array(rows), unsafe: halves };
}

describe('a temperature', () => {
  it('is proportional to the logits, and where no other is better', () => {
    const random = seededRandom(1);
    for (let round = 0; round < 30; round++) {
      const { labels, safe, unsafe } = randomRows(random, 60);
      const temperature = fitTemperature(safe, unsafe, labels);
      const quadrupled = fitTemperature(
        safe,
        unsafe.map((logit) => 4 * logit),
        labels,
      );
      assert.ok(Math.abs(quadrupled / (4 * temperature) - 1) < 1e-9);
      const loss = (tau: number) =>
        scoreErrors(
          labels,
          Float64Array.from(unsafe, (logit) => logit / tau),
        ).nll;
      for (const other of [0.9, 0.99, 1.01, 1.1]) assert.ok(loss(temperature) < loss(other * temperature));
    }
  });

  it('is found far from 1', () => {
    const { labels, safe, unsafe } = randomRows(seededRandom(2), 200);
    const temperature = fitTemperature(safe, unsafe, labels);
    for (const scale of [2 ** -20, 2 ** 20]) {
      const scaled = fitTemperature(
        safe,
        unsafe.map((logit) => scale * logit),
        labels,
      );
      assert.ok(Math.abs(scaled / (scale * temperature) - 1) < 1e-9, `${scaled}`);
    }
  });

  it('is refused where there is none', () => {
    const fit = (margins: number[], labels: number[]) => () =>
      fitTemperature(new Float32Array(margins.length), Float32Array.from(margins), Int8Array.from(labels));
    assert.throws(fit([], []), coded('ERR_DATA', 'no rows'));
    assert.throws(fit([2, -1, 0], [1, 0, 1]), coded('ERR_DATA', 'gets no row wrong'));
    assert.throws(fit([2, -1, 1], [0, 1, 1]), coded('ERR_DATA', 'no more of the labels than chance'));
    assert.throws(fit([0, 0], [0, 1]), coded('ERR_DATA'));
    assert.throws(fit([2, Number.NaN, -1], [1, 0, 1]), coded('ERR_NOT_FINITE', 'row 1', 'NaN'));
  });
});

describe('a prior', () => {
  it('leaves scores as they are at one half, and moves its own value there', () => {
    assert.deepEqual(affineOf({ kind: 'batch', prior: 0.5 }), affineOf(null));
    for (const z of [-7, -0.3, 0, 2]) {
      const { scale, shift } = affineOf({ kind: 'contextual', prior: sigmoid(z) });
      assert.ok(Math.abs(sigmoid(scale * z + shift) - 0.5) < 1e-12);
    }
  });

  it('is a share of unsafe', () => {
    assert.equal(contextualPrior({ safe: 3, unsafe: 3 }), 0.5);
    assert.equal(batchPrior(Float64Array.of(0.25, 0.5, 0.75)), 0.5);
    assert.throws(() => batchPrior(new Float64Array(0)), coded('ERR_DATA', 'no rows'));
    assert.throws(() => batchPrior(Float64Array.of(0.1, Number.POSITIVE_INFINITY)), coded('ERR_NOT_FINITE', 'row 1'));
  });

  it('of 0 or 1 leaves no choice', () => {
    for (const prior of [0, 1]) assert.throws(() => affineOf({ kind: 'batch', prior }), coded('ERR_DATA', `${prior}`));
  });
});

describe('figures', () => {
  it('are null where there is nothing to be a share of', () => {
    const of = (labels: number[], flags: number[]) => classify(Int8Array.from(labels), Uint8Array.from(flags));
    const { f1, precision, recall, fpr, accuracy } = of([0, 0], [0, 0]);
    assert.deepEqual([f1, precision, recall, fpr, accuracy], [null, null, null, 0, 1]);
    assert.equal(of([0, 0], [0, 1]).f1, 0);
    assert.equal(of([1, 1], [0, 1]).fpr, null);
    assert.equal(averagePrecision(Int8Array.of(1, 1), Float64Array.of(0.1, 0.9)), null);
    assert.equal(averagePrecision(Int8Array.of(0, 0), Float64Array.of(0.1, 0.9)), null);
  });

  it('do not depend on the order of rows of one score', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 30; round++) {
      const rows = Array.from({ length: 50 }, () => ({
        label: random() < 0.3 ? 1 : 0,
        score: Math.round(6 * random()),
      }));
      const auprc = (all: typeof rows) =>
        averagePrecision(
          Int8Array.from(all, (row) => row.label),
          Float64Array.from(all, (row) => row.score),
        );
      const sorted = [...rows].sort((a, b) => a.label - b.label);
      const [first, second] = [auprc(rows), auprc(sorted)];
      if (first === null || second === null) assert.equal(first, second);
      else assert.ok(Math.abs(first - second) < 1e-12);
    }
  });

  it('refuse rows that do not go together', () => {
    assert.throws(() => classify(new Int8Array(3), new Uint8Array(2)), coded('ERR_OUT_OF_RANGE', '3', '2'));
    assert.throws(() => classify(new Int8Array(0), new Uint8Array(0)), coded('ERR_DATA', 'no rows'));
    assert.throws(
      () => averagePrecision(Int8Array.of(0, 1), Float32Array.of(0.5, Number.NaN)),
      coded('ERR_NOT_FINITE', 'row 1'),
    );
  });
});
