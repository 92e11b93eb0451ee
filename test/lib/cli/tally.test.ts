import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tally } from '../../../lib/cli/tally.js';
import type { Reading, Verdict } from '../../../lib/verdict.js';

const kReading: Reading = { score: 0.5, logits: { safe: 0, unsafe: 0 } };

function verdict(ms: number, cached: number, computed: number, large: Reading | null = null): Verdict {
  return {
    label: large === null ? 'safe' : 'unsafe',
    score: 0.5,
    route: large === null ? 'small' : 'large',
    escalation: large === null ? 'none' : 'rule',
    hardness: null,
    small: kReading,
    large,
    tokens: { prompt: cached + computed, cached, computed },
    timing: { queue_ms: 0, small_ms: ms, large_ms: 0, total_ms: ms },
  };
}

describe('Tally', () => {
  it('sums up what the guards did: labels, escalations, cached tokens, latencies', () => {
    const tally = new Tally();
    for (let index = 0; index < 99; index++) tally.addVerdict(verdict(10, 30, 10));
    tally.addVerdict(verdict(200, 30, 10, kReading));
    tally.addFailure();
    assert.match(
      tally.summary(),
      /^101 messages: 1 unsafe, 99 safe, 1 failed · 1 to the large guard \(1\.0 %\) · 75\.0 % of tokens cached · p50 (9\.9|10\.0|10\.1) ms, p95 (9\.9|10\.0|10\.1) ms, p99 (9\.9|10\.0|10\.1) ms · \d+\.\d s$/,
    );
    tally.addVerdict(verdict(200, 30, 10, kReading));
    assert.match(tally.summary(), /p99 (19[89]|20[012])\.\d ms/);
    assert.match(tally.progress(), /^102 checked · 2\.0 % escalated · /);
  });

  it('says what the valves did, where they did something', () => {
    const tally = new Tally(0.6);
    const scored = (score: number): Reading => ({ ...kReading, score });
    const add = (escalation: Verdict['escalation'], large: Reading | null) =>
      tally.addVerdict({ ...verdict(10, 0, 1, large), small: scored(0.55), escalation });
    for (const large of [0.61, 0.6, 0.1]) add('audit', scored(large));
    add('capped', null);
    add('shadow', null);
    assert.match(
      tally.summary(2),
      / · 3 to the large guard \(60\.0 %\) · 3 audited, 1 missed · 1 over the cap · 1 in the shadow \(20\.0 %\) · the alarm rang 2 times · 0\.0 % of/,
    );
    assert.match(tally.summary(1), / · the alarm rang once · /);
  });

  it('has no shares of nothing', () => {
    const tally = new Tally();
    tally.addFailure();
    assert.match(tally.summary(), /^1 messages: 0 unsafe, 0 safe, 1 failed · \d+\.\d s$/);
    assert.match(tally.progress(), /^1 checked · 0\.0 % escalated/);
  });
});
