// The escalation rules over judged rows: by their own thresholds, and by share of their rankings.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ensembleScores,
  escalateShare,
  escalationOrder,
  planEscalation,
  rankingOf,
} from '../../../lib/train/escalation-rules.js';
import type { RuleName } from '../../../lib/train/evaluation.js';
import { type JudgedRows, judgeRows } from '../../../lib/train/judged-rows.js';
import { coded } from '../rejected.js';
import { seededRandom } from './seeded-random.js';
import { tableOf } from './synthetic-table.js';

function judged(rows: number, seed: number, routers: Partial<JudgedRows> = {}): JudgedRows {
  const random = seededRandom(seed);
  const column = (value: () => number) => Array.from({ length: rows }, value);
  const logit = () => 6 * (random() - 0.5);
  const table = tableOf('rules', {
    label: column(() => (random() < 0.4 ? 1 : 0)),
    source: column(() => 0),
    small_safe: column(logit),
    small_unsafe: column(logit),
    large_safe: column(logit),
    large_unsafe: column(logit),
    small_tokens: column(() => 9),
    large_tokens: column(() => 9),
  });
  return { ...judgeRows(table, 0.5, { hardness: null, benefit: null }), ...routers };
}

const count = (goes: Uint8Array | undefined) => goes?.reduce((sum, up) => sum + up, 0);
const goesOf = (...terms: Parameters<typeof planEscalation>) => planEscalation(...terms)?.goes;

describe('escalation rules', () => {
  const rows = judged(400, 1);

  it('send nobody, everybody, and the hard rows', () => {
    assert.equal(count(goesOf('small', rows)), 0);
    assert.equal(count(goesOf('large', rows)), 400);
    assert.deepEqual(goesOf('oracle', rows), rows.hard);
  });

  it('of entropy send scores between 0.110 and 0.890, whatever the guard says', () => {
    const goes = goesOf('entropy', rows) as Uint8Array;
    rows.small.scores.forEach((score, row) => {
      if (Math.abs(score - 0.11) > 0.001 && Math.abs(score - 0.89) > 0.001) {
        assert.equal(goes[row], score > 0.11 && score < 0.89 ? 1 : 0, `score ${score}`);
      }
    });
  });

  it('of a temperature rank rows as plain entropy does', () => {
    const plain = escalationOrder(rankingOf('entropy', rows) as Float64Array);
    const scaled = escalationOrder(rankingOf('entropy+ts', rows, { temperature: 2.5 }) as Float64Array);
    assert.deepEqual(scaled, plain);
  });

  it('of a router and a benefit router go strictly above their thresholds', () => {
    const hardness = Float32Array.of(0.25, 0.5, 0.75);
    const routed = judged(3, 2, { hardness, benefit: hardness.map((value) => 1 - value) });
    assert.deepEqual([...(goesOf('router', routed) ?? [])], [0, 0, 1]);
    assert.deepEqual([...(goesOf('router', routed, { threshold: 0.2 }) ?? [])], [1, 1, 1]);
    assert.deepEqual([...(goesOf('benefit', routed) ?? [])], [1, 0, 0]);
    assert.deepEqual(goesOf('ensemble', routed), goesOf('router', routed));
    assert.deepEqual([...(goesOf('budget', routed, { share: 0.34 }) ?? [])], [0, 0, 1]);
  });

  it('throw the coins that the engine throws', () => {
    // The first outputs of splitmix64 seeded with 0, as its authors list them, in their upper 53 bits.
    const coins = [0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn].map(
      (word) => Number(word >> 11n) / 2 ** 53,
    );
    const ranking = rankingOf('random', rows) as Float64Array;
    assert.deepEqual(
      [...ranking.subarray(0, 3)],
      coins.map((coin) => -coin),
    );
    assert.equal(goesOf('random', rows, { share: 0.1 })?.[2], 1);
    assert.deepEqual(
      [count(goesOf('random', rows, { share: 0 })), count(goesOf('random', rows, { share: 1 }))],
      [0, 400],
    );
    assert.notDeepEqual(goesOf('random', rows, {}, 1), goesOf('random', rows, {}, 2));
  });

  it('have no plan without what they go by', () => {
    const without: RuleName[] = ['router', 'benefit', 'entropy+ts', 'entropy+cc', 'entropy+bc', 'budget'];
    for (const rule of without) assert.equal(planEscalation(rule, rows), null, rule);
    assert.deepEqual(goesOf('ensemble', rows), goesOf('entropy', rows));
  });
});

describe('a share of a ranking', () => {
  it('is so many rows, the first ones, and part of every greater share', () => {
    const random = seededRandom(4);
    const ranking = Float64Array.from({ length: 300 }, () => Math.floor(20 * random()));
    let before: Uint8Array = new Uint8Array(300);
    for (let percent = 0; percent <= 100; percent++) {
      const goes = escalateShare(ranking, percent / 100);
      assert.equal(count(goes), 3 * percent);
      assert.ok(before.every((up, row) => up <= (goes[row] as number)));
      const lowest = Math.min(...ranking.filter((_, row) => goes[row] === 1));
      assert.ok(ranking.every((rank, row) => goes[row] === 1 || rank <= lowest));
      before = goes;
    }
  });

  it('takes rows of one rank by a coin, not by their order', () => {
    const goes = escalateShare(new Float64Array(1000), 0.5);
    const first = count(goes.subarray(0, 500)) as number;
    assert.ok(first > 200 && first < 300, `${first} of the first half`);
    assert.deepEqual(escalateShare(new Float64Array(1000), 0.5), goes);
    assert.notDeepEqual(escalateShare(new Float64Array(1000), 0.5, 7), goes);
  });

  it('is from 0 to 1', () => {
    for (const share of [-0.1, 1.5, Number.NaN]) {
      assert.throws(() => escalateShare(new Float64Array(3), share), coded('ERR_DATA', String(share)));
    }
  });
});

describe('an ensemble', () => {
  it('is the small guard at weight 0 and the large one at 1', () => {
    const rows = judged(50, 5);
    const near = (a: Float64Array, b: Float64Array) =>
      a.forEach((one, row) => {
        assert.ok(Math.abs(one - (b[row] as number)) < 1e-12);
      });
    near(ensembleScores(rows, 0), rows.small.scores);
    near(ensembleScores(rows, 1), rows.large.scores);
  });
});
