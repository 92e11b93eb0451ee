// The table of a calibration: every figure under its title, the chosen threshold marked, what was done said in words.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { calibrationTable } from '../../../lib/cli/calibration-table.js';
import { calibrateRows } from '../../../lib/train/calibrate-rows.js';
import type { Calibration } from '../../../lib/train/calibration.js';
import { seededRandom } from '../train/seeded-random.js';
import { randomSweptRows } from '../train/swept-rows.js';

const latency = { small: 2, large: 30 };

function calibration(timed: boolean, changes: Partial<Calibration> = {}): Calibration {
  const rows = randomSweptRows(seededRandom(1), 400, 100);
  const target = { kind: 'f1' } as const;
  const found = calibrateRows(rows, target, { confidence: 0.95, latency: timed ? latency : null });
  return {
    rule: 'router',
    target,
    escalation: { kind: 'router', threshold: found.chosen.threshold },
    ...found,
    rows: { used: 400, variants: 0, learnt: 0, unsafe: 160, hard: 90 },
    fit: null,
    path: null,
    notes: [],
    ...changes,
  };
}

const linesOf = (one: Calibration) => calibrationTable(one, (_, text) => text).split('\n');

describe('calibrationTable', () => {
  it('shows each candidate under its titles, and marks the chosen one', () => {
    const one = calibration(true);
    const lines = linesOf(one);
    assert.match(lines[0] as string, /^router > 0\.\d+ {2}for best F1, from 400 rows, 160 unsafe, 90 hard$/);
    assert.match(
      lines[2] as string,
      /threshold +escalated +≤ at 95 % +F1 +precision +recall +FPR +routing F1 +gain +ms\/row/,
    );
    const marked = lines.filter((line) => line.startsWith('→'));
    assert.equal(marked.length, 1);
    const { threshold, escalated, escalated_at_most, f1, precision, recall, fpr, routing_f1, ms_per_row } = one.chosen;
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
    const figures = [f1, precision, recall, fpr, routing_f1].map((figure) => figure?.toFixed(3) ?? '–');
    const cells = [String(threshold), percent(escalated), percent(escalated_at_most), ...figures];
    const row = (marked[0] as string).slice(1).trim().split(/ {2,}/);
    assert.deepEqual(row.slice(0, 8), cells);
    assert.equal(row[9], ms_per_row?.toFixed(2));
    for (const { threshold: shown } of one.candidates) {
      assert.ok(
        lines.some((line) => line.slice(1).trim().startsWith(`${shown} `)),
        `${shown} is shown`,
      );
    }
  });

  it('sets what the guards do alone beside them', () => {
    const lines = linesOf(calibration(false));
    for (const name of ['small', 'large', 'oracle'])
      assert.ok(
        lines.some((line) => line.trim().startsWith(name)),
        name,
      );
    assert.ok(!lines.join('\n').includes('ms/row'));
  });

  it('says what was fitted, what did not count, and where it went', () => {
    const errors = { nll: 0.5, brier: 0.25, ece: 0.125 };
    const text = linesOf(
      calibration(false, {
        rule: 'entropy+ts',
        escalation: { kind: 'entropy', threshold: 0.5, calibration: { kind: 'temperature', temperature: 1.75 } },
        fit: { before: errors, after: { nll: 0.25, brier: 0.125, ece: 0.0625 } },
        rows: { used: 400, variants: 1200, learnt: 3600, unsafe: 160, hard: 90 },
        path: '/pairs/mine/saferoute.json',
        notes: ['A note.'],
      }),
    ).join('\n');
    assert.match(text, /^Temperature 1\.75: log loss 0\.500 → 0\.250, Brier 0\.250 → 0\.125, ECE 0\.125 → 0\.063\.$/m);
    for (const part of ['1,200 variants', '3,600 rows', 'A note.', 'Written to /pairs/mine/saferoute.json.']) {
      assert.ok(text.includes(part), part);
    }
  });
});
