// SafeRoute's theorem 3.1: it must hold of whatever routing, under both losses.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logLosses, riskBound, zeroOneLosses } from '../../../lib/train/risk-bound.js';
import { seededRandom } from './seeded-random.js';

const kRows = 64;

describe('the risk bound', () => {
  it('holds of any routing', () => {
    const random = seededRandom(5);
    for (let round = 0; round < 500; round++) {
      const draw = (value: () => number) => Array.from({ length: kRows }, value);
      const labels = Int8Array.from(draw(() => (random() < 0.5 ? 1 : 0)));
      const [small, large] = [0, 1].map(() => Float64Array.from(draw(() => 8 * (random() - 0.5)))) as [
        Float64Array,
        Float64Array,
      ];
      const flags = (margins: Float64Array) => Uint8Array.from(margins, (margin) => (margin > 0 ? 1 : 0));
      const right = (margins: Float64Array, row: number) => flags(margins)[row] === labels[row];
      const hard = Uint8Array.from(labels, (_, row) => (!right(small, row) && right(large, row) ? 1 : 0));
      const share = random();
      const escalated = Uint8Array.from(draw(() => (random() < share ? 1 : 0)));
      const log = riskBound('router', 'log', {
        small: logLosses(labels, small),
        large: logLosses(labels, large),
        escalated,
        hard,
      });
      const zeroOne = riskBound('router', 'zero-one', {
        small: zeroOneLosses(labels, flags(small)),
        large: zeroOneLosses(labels, flags(large)),
        escalated,
        hard,
      });
      for (const { adaptive, bound } of [log, zeroOne]) assert.ok(adaptive <= bound + 1e-12, `${adaptive} > ${bound}`);
      assert.ok(zeroOne.oracle <= zeroOne.adaptive);
    }
  });

  it('is the risk itself where the routing is the oracle', () => {
    const hard = Uint8Array.of(1, 0);
    const losses = { small: Float64Array.of(1, 0), large: Float64Array.of(0, 1) };
    const { adaptive, oracle, m, misrouted, bound } = riskBound('oracle', 'zero-one', {
      ...losses,
      escalated: hard,
      hard,
    });
    assert.deepEqual(
      { adaptive, oracle, m, misrouted, bound },
      { adaptive: 0, oracle: 0, m: 1, misrouted: 0, bound: 0 },
    );
  });
});

describe('the log loss', () => {
  it('is finite of a guard that is sure and wrong', () => {
    const [loss] = logLosses(Int8Array.of(1), Float64Array.of(-800));
    assert.equal(loss, 800);
  });
});
