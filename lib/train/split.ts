/** Cuts labelled rows into those that a router learns from and those that it is judged by. */

import { coins } from './coins.js';
import { type FeatureTable, isHard } from './feature-table.js';

export interface SplitOptions {
  /** Of the rows, 0 to 1; of hard and easy rows alike. */
  validShare: number;
  seed: number;
}

/** Numbers of rows, ascending; every row is in one of the two. */
export interface Split {
  train: Int32Array;
  valid: Int32Array;
}

/** The rows of one group. */
type Group = number[];

/**
 * A group goes to one side whole, so that no variant of a row that was learnt from helps to judge. Groups with hard rows are dealt apart from
 * the others, in an order that the seed decides, until their side has its share of them: a side's share is missed by no more than half a
 * group, and where there are two such groups and a share is asked for, both sides have one.
 */
export function splitRows(
  table: Pick<FeatureTable, 'rows' | 'group' | 'label' | 'small' | 'large'>,
  { validShare, seed }: SplitOptions,
): Split {
  const hard = Uint8Array.from({ length: table.rows }, (_, row) => (isHard(table, row) ? 1 : 0));
  const groups = groupsOf(table.group);
  const order = coins(groups.length, seed);
  const shuffled = groups
    .map((rows, place) => ({ rows, coin: order[place] as number }))
    .sort((a, b) => a.coin - b.coin)
    .map(({ rows }) => rows);
  const hardRows = (rows: Group) => rows.reduce((sum, row) => sum + (hard[row] as number), 0);
  const valid = [
    ...deal(
      shuffled.filter((rows) => hardRows(rows) > 0),
      validShare,
      hardRows,
    ),
    ...deal(
      shuffled.filter((rows) => hardRows(rows) === 0),
      validShare,
      (rows) => rows.length,
    ),
  ];
  const side = new Uint8Array(table.rows);
  for (const row of valid) side[row] = 1;
  const on = (wanted: number) => Int32Array.from([...side.keys()].filter((row) => side[row] === wanted));
  return { train: on(0), valid: on(1) };
}

function groupsOf(group: Int32Array): Group[] {
  const groups = new Map<number, Group>();
  for (const [row, number] of group.entries()) {
    const rows = groups.get(number);
    if (rows === undefined) groups.set(number, [row]);
    else rows.push(row);
  }
  return [...groups.values()];
}

/** The rows of the groups that make up `share` of all that `weigh` counts: each group is taken that brings the sum nearer to it. */
function deal(groups: readonly Group[], share: number, weigh: (rows: Group) => number): number[] {
  const wanted = share * groups.reduce((sum, rows) => sum + weigh(rows), 0);
  const taken: Group[] = [];
  let sum = 0;
  for (const rows of groups) {
    const weight = weigh(rows);
    if (Math.abs(sum + weight - wanted) >= Math.abs(sum - wanted)) continue;
    taken.push(rows);
    sum += weight;
  }
  const [first] = groups;
  if (taken.length === 0 && wanted > 0 && first !== undefined && groups.length > 1) taken.push(first);
  if (taken.length === groups.length && share < 1) taken.pop();
  return taken.flat();
}
