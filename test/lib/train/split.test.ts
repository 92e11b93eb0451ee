import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FeatureTable, isHard } from '../../../lib/train/feature-table.js';
import { splitRows } from '../../../lib/train/split.js';
import { labelledTable } from './labelled-tables.js';
import { seededRandom } from './seeded-random.js';

/** One row hard in four; rows in groups of the given sizes, in turn. */
function tableIn(groupSizes: number[], rows: number): FeatureTable {
  const group: number[] = [];
  for (let number = 0; group.length < rows; number++) {
    const size = groupSizes[number % groupSizes.length] as number;
    group.push(...Array.from({ length: Math.min(size, rows - group.length) }, () => number * 7));
  }
  const table = labelledTable(rows, 1, { group: Int32Array.from(group) });
  return { ...table, path: 'none', rows, features: { path: 'none', offset: 0, rows, width: 1 } };
}

const hardIn = (table: FeatureTable, rows: Int32Array): number => rows.filter((row) => isHard(table, row)).length;

describe('splitRows', () => {
  it('deals every row to one side, in order, with the share of hard and of easy rows', () => {
    const table = tableIn([1], 400);
    for (const seed of [0, 1, 77]) {
      const { train, valid } = splitRows(table, { validShare: 0.1, seed });
      assert.deepEqual(
        [...train, ...valid].sort((a, b) => a - b),
        [...table.ids.keys()],
      );
      for (const side of [train, valid])
        assert.deepEqual(
          [...side],
          [...side].sort((a, b) => a - b),
        );
      assert.deepEqual([valid.length, hardIn(table, valid)], [40, 10]);
    }
  });

  it('follows its seed', () => {
    const table = tableIn([1], 200);
    const valid = (seed: number) => [...splitRows(table, { validShare: 0.2, seed }).valid];
    assert.deepEqual(valid(5), valid(5));
    assert.notDeepEqual(valid(5), valid(6));
  });

  it('keeps groups whole and misses a share by no more than half of the largest', () => {
    const random = seededRandom(9);
    for (let round = 0; round < 50; round++) {
      const sizes = Array.from({ length: 5 }, () => 1 + Math.floor(7 * random()));
      const table = tableIn(sizes, 300);
      const validShare = 0.05 + 0.5 * random();
      const { train, valid } = splitRows(table, { validShare, seed: round });
      assert.equal(train.length + valid.length, 300);
      const learnt = new Set([...train].map((row) => table.group[row]));
      for (const row of valid) assert.ok(!learnt.has(table.group[row]), `group ${table.group[row]} is on both sides`);
      const hard = hardIn(table, Int32Array.from(table.ids.keys()));
      assert.ok(Math.abs(hardIn(table, valid) - validShare * hard) <= 3.5, `${hardIn(table, valid)} of ${hard}`);
    }
  });

  it('leaves no side without hard rows where there are two groups of them', () => {
    const group = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 5, 6);
    const table = { ...tableIn([1], 12), group };
    for (const validShare of [0.01, 0.5, 0.9]) {
      const { train, valid } = splitRows(table, { validShare, seed: 3 });
      assert.ok(hardIn(table, valid) > 0 && hardIn(table, train) > 0, `share ${validShare}`);
    }
  });

  it('keeps nothing back where no share is asked for', () => {
    const { train, valid } = splitRows(tableIn([2], 40), { validShare: 0, seed: 0 });
    assert.deepEqual([train.length, valid.length], [40, 0]);
  });
});
