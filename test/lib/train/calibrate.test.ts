// `calibrate` on features files, with a router that a fake addon plays: targets, rules, and all that is refused.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { calibrateWith } from '../../../lib/train/calibrate.js';
import type { CalibrateOptions } from '../../../lib/train/calibrate-options.js';
import { splitRows } from '../../../lib/train/split.js';
import { kFixtures } from '../checkpoint/scratch.js';
import { coded } from '../rejected.js';
import { calibrated, fakeOf, featuresOf, kRouter, traffic } from './calibration-traffic.js';
import { trainedRouter } from './trained-router.js';

describe('calibrate', () => {
  it('finds the least escalation that has the recall', async (test) => {
    const rows = traffic(500, 1);
    const {
      chosen,
      candidates,
      escalation,
      rows: counts,
    } = await calibrated(test, rows, {
      target: { kind: 'recall', atLeast: 0.85 },
    });
    assert.deepEqual(escalation, { kind: 'router', threshold: chosen.threshold });
    assert.ok((chosen.recall as number) >= 0.85);
    for (const stricter of candidates.filter(({ threshold }) => threshold > chosen.threshold)) {
      assert.ok((stricter.recall as number) < 0.85);
    }
    const above = rows.hardness.filter((hardness) => hardness > chosen.threshold).length;
    assert.equal(chosen.escalated, above / 500);
    assert.deepEqual([counts.used, counts.variants, counts.learnt], [500, 0, 0]);
  });

  it('keeps a promised rate: the bound is within it, and better than the small guard alone', async (test) => {
    const {
      chosen,
      bounds,
      calibrated: record,
    } = await calibrated(test, traffic(800, 2), {
      target: { kind: 'escalation', atMost: 0.2 },
      confidence: 0.9,
    });
    assert.ok(chosen.escalated_at_most <= 0.2 && chosen.escalated < chosen.escalated_at_most);
    assert.ok((chosen.f1 as number) > (bounds.small.f1 as number));
    assert.equal(record.confidence, 0.9);
    assert.ok(record.band[0] < record.rate && record.rate < record.band[1]);
  });

  it('takes a latency for the escalation rate that it allows', async (test) => {
    const rows = traffic(800, 2);
    const byRate = await calibrated(test, rows, { target: { kind: 'escalation', atMost: 0.25 } });
    const byTime = await calibrated(test, rows, {
      target: { kind: 'latency', atMost: 14 },
      latency: { small: 4, large: 40 },
    });
    assert.equal(byTime.chosen.threshold, byRate.chosen.threshold);
    assert.equal(byTime.chosen.ms_per_row, 4 + 40 * byTime.chosen.escalated);
    assert.equal(byRate.chosen.ms_per_row, null);
  });

  it('stops where the large guard no longer helps', async (test) => {
    const { chosen, candidates, bounds } = await calibrated(test, traffic(800, 3), { target: { kind: 'gain' } });
    assert.ok(chosen.accuracy >= Math.max(...candidates.map(({ accuracy }) => accuracy)));
    assert.ok(Math.abs(chosen.gain - (chosen.accuracy - bounds.small.accuracy)) < 1e-12);
    const best = await calibrated(test, traffic(800, 3), { target: { kind: 'f1' } });
    assert.ok((best.chosen.f1 as number) >= (chosen.f1 as number));
  });

  it('counts one row of each group', async (test) => {
    const plain = traffic(300, 4);
    const twice = (column: Int8Array | Float32Array) => column.constructor as typeof Float32Array;
    const repeat = <T extends Int8Array | Float32Array>(column: T) =>
      (twice(column) as unknown as { from(values: number[]): T }).from([...column, ...column]);
    const { table } = plain;
    const variants = traffic(600, 4, {
      label: repeat(table.label as Int8Array),
      group: Int32Array.from({ length: 600 }, (_, row) => row % 300),
      small: { ...table.small, safe: repeat(table.small.safe), unsafe: repeat(table.small.unsafe) },
      large: { ...table.large, safe: repeat(table.large.safe), unsafe: repeat(table.large.unsafe) },
    });
    const target = { kind: 'escalation', atMost: 0.3 } as const;
    const one = await calibrated(test, plain, { target });
    const both = await calibrated(test, { ...variants, hardness: repeat(plain.hardness) }, { target });
    assert.deepEqual(both.candidates, one.candidates);
    assert.deepEqual(both.rows, { ...one.rows, variants: 300 });
  });

  it('weighs sources alike where it is asked to', async (test) => {
    const source = Int32Array.from({ length: 500 }, (_, row) => (row < 450 ? 0 : 1));
    const rows = traffic(500, 5, { source });
    // Nothing of the small source is hard to the router.
    rows.hardness.forEach((_, row) => {
      if (row >= 450) rows.hardness[row] = 0.001;
    });
    const balanced = await calibrated(test, rows, {
      target: { kind: 'escalation', atMost: 0.4 },
      balance: 'sources',
    });
    const { threshold, escalated, escalated_at_most } = balanced.chosen;
    const ofLarger = rows.hardness.filter((hardness) => hardness > threshold).length / 450;
    assert.ok(threshold > 0.001 && ofLarger > 0);
    assert.ok(Math.abs(escalated - ofLarger / 2) < 1e-12);
    // Hoeffding's, of weights 1/900 and 1/100.
    const margin = Math.sqrt((Math.log(20) * (1 / 1800 + 1 / 200)) / 2);
    assert.ok(Math.abs(escalated_at_most - (escalated + margin)) < 1e-12);
    assert.ok(balanced.notes.some((note) => note.includes('source')));
  });

  it('reads several files as one', async (test) => {
    const [one, other] = [traffic(200, 6), traffic(300, 7)];
    const paths = [await featuresOf(test, one), await featuresOf(test, other)];
    const hardness = new Map(paths.map((path, place) => [path, [one, other][place]?.hardness as Float32Array]));
    const told: unknown[] = [];
    const addon = fakeOf(one.hardness);
    addon.routeFeatures = async (_, { path }) => hardness.get(path) as Float32Array;
    const both = await calibrateWith(
      paths,
      { router: kRouter, target: { kind: 'f1' }, onProgress: (progress) => told.push(progress) },
      () => addon,
    );
    assert.equal(both.rows.used, 500);
    assert.deepEqual(told, [
      { path: paths[0], done: 0, files: 2 },
      { path: paths[1], done: 1, files: 2 },
    ]);
  });
});

describe('entropy rules', () => {
  const target = { kind: 'f1' } as const;
  const noAddon = () => assert.fail('no native code is needed');

  it('bring their calibrations', async (test) => {
    const path = await featuresOf(test, traffic(400, 8));
    const of = (rule: CalibrateOptions['rule']) => calibrateWith(path, { target, ...(rule && { rule }) }, noAddon);
    const plain = await of(undefined);
    assert.equal(plain.rule, 'entropy');
    assert.deepEqual([Object.keys(plain.escalation), plain.fit], [['kind', 'threshold'], null]);
    for (const [rule, kind] of [
      ['entropy+ts', 'temperature'],
      ['entropy+cc', 'contextual'],
      ['entropy+bc', 'batch'],
    ] as const) {
      const { escalation, fit } = await of(rule);
      assert.ok(escalation.kind === 'entropy' && escalation.calibration?.kind === kind, rule);
      assert.ok(fit && fit.before.nll > 0);
      if (rule === 'entropy+ts') assert.ok(fit.after.nll < fit.before.nll);
    }
  });

  it('of a temperature pick the rows that plain entropy picks', async (test) => {
    const path = await featuresOf(test, traffic(400, 8));
    const [plain, scaled] = await Promise.all(
      (['entropy', 'entropy+ts'] as const).map((rule) => calibrateWith(path, { target, rule }, noAddon)),
    );
    assert.deepEqual(scaled?.chosen.confusion, plain?.chosen.confusion);
    assert.notEqual(scaled?.chosen.threshold, plain?.chosen.threshold);
  });

  it('fit a prior on other rows where a rate is promised', async (test) => {
    const [path, other] = [await featuresOf(test, traffic(400, 9)), await featuresOf(test, traffic(300, 10))];
    const promise = { kind: 'escalation', atMost: 0.5 } as const;
    const rule = 'entropy+bc';
    await assert.rejects(
      calibrateWith(path, { target: promise, rule }, noAddon),
      coded('ERR_DATA', 'entropy+bc', 'fit'),
    );
    const { escalation } = await calibrateWith(path, { target: promise, rule, fit: other }, noAddon);
    assert.ok(escalation.kind === 'entropy' && escalation.calibration?.kind === 'batch');
    await assert.rejects(
      calibrateWith(path, { target: promise, rule, fit: path }, noAddon),
      coded('ERR_DATA', "'9-0'", 'once'),
    );
  });

  it('say what they miss', async (test) => {
    const path = await featuresOf(test, traffic(50, 11, { contentFree: null }));
    await assert.rejects(calibrateWith(path, { target, rule: 'entropy+cc' }, noAddon), coded('ERR_DATA', 'one space'));
    await assert.rejects(calibrateWith(path, { target, rule: 'router' }, noAddon), coded('ERR_DATA', 'needs a router'));
    await assert.rejects(
      calibrateWith(path, { target, rule: 'entropy', router: kRouter }, noAddon),
      coded('ERR_OUT_OF_RANGE', 'rule', 'entropy'),
    );
  });
});

describe('the file that the router was trained on', () => {
  const target = { kind: 'f1' } as const;

  it('counts by the rows that were kept from training', async (test) => {
    const rows = traffic(500, 24, { group: Int32Array.from({ length: 500 }, (_, row) => row >> 1) });
    const router = trainedRouter(test, kRouter, rows.table, 0.3);
    const { rows: counts, chosen } = await calibrated(test, rows, { target, router });
    const { valid } = splitRows({ rows: 500, ...rows.table }, { validShare: 0.3, seed: 3 });
    assert.deepEqual(counts.used + counts.variants, valid.length);
    assert.equal(counts.learnt, 500 - valid.length);
    // The first row of each group, which the split leaves whole.
    const firsts = [...valid].filter((row) => row % 2 === 0);
    assert.equal(counts.used, firsts.length);
    const above = firsts.filter((row) => (rows.hardness[row] as number) > chosen.threshold);
    assert.equal(chosen.escalated, above.length / firsts.length);
    // Of another file all rows count.
    const other = traffic(500, 25);
    assert.equal((await calibrated(test, other, { target, router })).rows.learnt, 0);
  });

  it('is refused where none were kept', async (test) => {
    const rows = traffic(500, 24);
    const router = trainedRouter(test, kRouter, rows.table, 0);
    await assert.rejects(calibrated(test, rows, { target, router }), coded('ERR_DATA', 'learnt from all', router));
  });
});

describe('rows that cannot be calibrated on', () => {
  const target = { kind: 'f1' } as const;

  it('are of one class', async (test) => {
    for (const value of [0, 1]) {
      const rows = traffic(20, 17, { label: new Int8Array(20).fill(value) });
      const word = value === 1 ? 'unsafe' : 'safe';
      await assert.rejects(calibrated(test, rows, { target }), coded('ERR_DATA', `all 20 rows are ${word}`));
    }
  });

  it('have none that the large guard puts right', async (test) => {
    const rows = traffic(50, 18);
    rows.table.large = { ...rows.table.large, unsafe: rows.table.small.unsafe };
    await assert.rejects(calibrated(test, rows, { target }), coded('ERR_DATA', 'none of the 50 rows is hard'));
  });

  it('are all alike to the rule, or not numbers to it', async (test) => {
    const rows = traffic(50, 19);
    await assert.rejects(
      calibrated(test, { ...rows, hardness: new Float32Array(50).fill(0.25) }, { target }),
      coded('ERR_DATA', 'all 50 rows', '0.25'),
    );
    rows.hardness[7] = Number.NaN;
    await assert.rejects(calibrated(test, rows, { target }), coded('ERR_NOT_FINITE', "'19-7'", 'NaN'));
  });

  it('were read by another guard, or are of another width', async (test) => {
    const [one, other] = [traffic(50, 20), traffic(50, 21)];
    other.table.large.fingerprint = 'another';
    const paths = [await featuresOf(test, one), await featuresOf(test, other)];
    await assert.rejects(
      calibrateWith(paths, { target }, () => fakeOf(one.hardness)),
      coded('ERR_DATA', 'large guard', '/guards/large'),
    );
    const narrow = join(kFixtures, 'routers', 'official-64.safetensors');
    await assert.rejects(calibrated(test, one, { target, router: narrow }), coded('ERR_CHECKPOINT', '64', '48'));
  });

  it('miss what no threshold gives, and hear what is nearest', async (test) => {
    const rows = traffic(300, 22);
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'recall', atLeast: 1 } }),
      coded('ERR_DATA', 'recall at least 1 cannot be had', /the best is 0\.\d+, at threshold 0\.\d+/),
    );
    const latency = { small: 4, large: 40 };
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'latency', atMost: 3 }, latency }),
      coded('ERR_DATA', 'latency at most 3 ms', '4 ms'),
    );
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'latency', atMost: 4.1 }, latency }),
      coded('ERR_DATA', /nearest is latency at most 4\.\d+ ms/),
    );
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'latency', atMost: 9 } }),
      coded('ERR_DATA', 'none were given'),
    );
  });

  it('lose by every escalation, where a gain is asked for', async (test) => {
    const rows = traffic(300, 23);
    // The large guard is wrong wherever the small one is right, and right on one row only.
    const { label, small } = rows.table;
    const wrong = label.map((one, row) => ((small.unsafe[row] as number) > 0 === (one === 1) ? 1 : 0));
    const first = wrong.indexOf(0);
    const unsafe = Float32Array.from(label, (one, row) => (row === first ? 1 : -1) * (2 * one - 1));
    rows.table.large = { ...rows.table.large, unsafe };
    rows.hardness[first] = 0;
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'gain' } }),
      coded('ERR_DATA', 'no more rows right than wrong', 'nearest', 'never'),
    );
  });
});

describe('options of calibrate', () => {
  it('name what is wrong with them', async () => {
    const refused = (options: unknown, code: string, ...named: string[]) =>
      assert.rejects(
        calibrateWith('f', options as CalibrateOptions, () => assert.fail()),
        coded(code, ...named),
      );
    const target = { kind: 'f1' };
    await refused(undefined, 'ERR_INVALID_ARG_TYPE', 'options');
    await refused({}, 'ERR_INVALID_ARG_TYPE', 'target');
    await refused({ target: 'f1' }, 'ERR_INVALID_ARG_TYPE', 'target');
    await refused({ target: { kind: 'best' } }, 'ERR_OUT_OF_RANGE', 'target.kind', 'best', 'recall');
    await refused({ target: { kind: 'f1', atMost: 1 } }, 'ERR_INVALID_ARG_TYPE', 'target.atMost');
    await refused({ target: { kind: 'recall' } }, 'ERR_INVALID_ARG_TYPE', 'target.atLeast');
    await refused({ target: { kind: 'recall', atLeast: 1.1 } }, 'ERR_OUT_OF_RANGE', 'atLeast', '1.1');
    await refused({ target: { kind: 'escalation', atMost: 0 } }, 'ERR_OUT_OF_RANGE', 'atMost', 'above 0');
    await refused({ target: { kind: 'latency', atMost: Number.NaN } }, 'ERR_OUT_OF_RANGE', 'atMost', 'NaN');
    await refused({ target, confidence: 1 }, 'ERR_OUT_OF_RANGE', 'confidence', '1');
    await refused({ target, rule: 'random' }, 'ERR_OUT_OF_RANGE', 'rule', 'random', 'entropy+ts');
    await refused({ target, balance: 'rows' }, 'ERR_OUT_OF_RANGE', 'balance', 'rows');
    await refused({ target, fit: [] }, 'ERR_OUT_OF_RANGE', 'fit');
    await refused({ target, latency: { small: 4 } }, 'ERR_INVALID_ARG_TYPE', 'latency.large');
    await refused({ target, pair: '' }, 'ERR_OUT_OF_RANGE', 'pair');
    await refused({ target, onProgress: 1 }, 'ERR_INVALID_ARG_TYPE', 'onProgress');
    await refused({ target, treshold: 1 }, 'ERR_INVALID_ARG_TYPE', 'treshold');
  });
});
