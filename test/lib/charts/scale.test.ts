import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { linearScale } from '../../../lib/charts/scale.js';

describe('linearScale', () => {
  it('widens to round numbers and puts its ends where they belong', () => {
    const scale = linearScale([0.312, 0.887], [100, 0], 6);
    assert.deepEqual(scale.ticks, [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    assert.deepEqual([scale.at(0.3), scale.at(0.9)], [100, 0]);
    assert.ok(Math.abs(scale.at(0.6) - 50) < 1e-9);
    assert.equal(scale.decimals, 1);
  });

  it('keeps round ends as they are', () => {
    assert.deepEqual(linearScale([0, 1], [0, 1], 5).ticks, [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepEqual(linearScale([0, 30], [0, 1], 30).ticks.length, 31);
    assert.deepEqual(linearScale([-18.4, 13.7], [0, 1], 5).ticks, [-20, -10, 0, 10, 20]);
  });

  it('has an axis for a single value, and every value between its ends at any size', () => {
    for (const value of [0, 1, -3, 1e-9, 7e12]) {
      const { low, high, ticks } = linearScale([value, value], [0, 1], 5);
      assert.ok(low <= value && value <= high && low < high, `${value}: ${low} to ${high}`);
      assert.ok(ticks.length >= 2);
    }
    for (let power = -9; power <= 12; power++) {
      for (const factor of [1, 1.3, 2.5, 4.99, 9.9]) {
        const [least, most] = [factor * 10 ** power, factor * 3.3 * 10 ** power];
        const { low, high, ticks, decimals } = linearScale([least, most], [0, 1], 6);
        assert.ok(low <= least * (1 + 1e-9) && high >= most * (1 - 1e-9), `${least} to ${most}: ${low} to ${high}`);
        assert.ok(ticks.length >= 3 && ticks.length <= 9, `${ticks.length} ticks`);
        assert.equal(new Set(ticks.map((tick) => tick.toFixed(decimals))).size, ticks.length);
      }
    }
  });
});
