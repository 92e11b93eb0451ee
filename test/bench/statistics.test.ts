// What samples are reduced to.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summarise } from '../../bench/report/figure.js';
import { median, percentile } from '../../bench/statistics.js';

test('the median is the middle sample, or the mean of the two middle ones, in any order', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([10, 2, 4, 8]), 6);
  assert.equal(median([100, 9, 11]), 11); // sorted as numbers, not as text
});

test('a percentile is the least sample that the share does not exceed', () => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(percentile(samples, 0.95), 95);
  assert.equal(percentile(samples, 0), 1);
  assert.equal(percentile(samples, 1), 100);
  assert.equal(percentile([7], 0.95), 7);
});

test('no samples, or a share outside 0 to 1, is an error', () => {
  assert.throws(() => median([]), /no samples/);
  assert.throws(() => percentile([1], 1.5), /1\.5/);
});

test('the slow end of a rate is its low one', () => {
  const samples = Array.from({ length: 20 }, (_, index) => index + 1);
  const place = { case: 'c', point: 'p', contender: 'x' };
  assert.equal(summarise({ ...place, unit: 'ms' }, samples).p95, 19);
  assert.equal(summarise({ ...place, unit: 'checks/s' }, samples).p95, 1);
});
