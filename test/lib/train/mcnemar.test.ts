// The exact McNemar test against values that can be counted by hand, and Holm's correction.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { holm, mcnemar } from '../../../lib/train/mcnemar.js';

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) <= 1e-12 * expected, `${actual} is not ${expected}`);

describe('the exact McNemar test', () => {
  it('counts the outcomes at least as uneven', () => {
    near(mcnemar(6, 1), (2 * (1 + 7)) / 2 ** 7);
    near(mcnemar(10, 0), 2 / 2 ** 10);
    near(mcnemar(2, 8), (2 * (1 + 10 + 45)) / 2 ** 10);
  });

  it('can tell nothing of guards that are wrong as often, or never apart', () => {
    assert.equal(mcnemar(0, 0), 1);
    assert.equal(mcnemar(7, 7), 1);
    near(mcnemar(4, 5), 1);
  });

  it('does not care which guard is which', () => assert.equal(mcnemar(3, 19), mcnemar(19, 3)));

  it('stays a probability over many rows', () => {
    assert.equal(mcnemar(40_000, 0), 0);
    const p = mcnemar(20_100, 19_900);
    assert.ok(p > 0.3 && p < 0.35, `${p}`); // 1 standard deviation from even
  });
});

describe("Holm's correction", () => {
  it('multiplies the least p by the number of tests, the next by one less, and never falls', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    for (const [place, expected] of [0.03, 0.06, 0.06, 0.02].entries()) near(adjusted[place] as number, expected);
  });

  it('leaves one test as it is, and stays at 1', () => {
    assert.deepEqual(holm([0.2]), [0.2]);
    assert.deepEqual(holm([0.6, 1, 0.7]), [1, 1, 1]);
    assert.deepEqual(holm([]), []);
  });
});
