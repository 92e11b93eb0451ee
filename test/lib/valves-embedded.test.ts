// The valves of the embedded pair, with native code and real guards.
import assert from 'node:assert/strict';
import diagnostics_channel from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import { SafeRoute } from '../../lib/index.js';
import type { PairOptions } from '../../lib/options.js';
import type { Verdict } from '../../lib/verdict.js';
import { coded } from './rejected.js';

const kRows = Array.from(
  { length: 120 },
  (_, index) => `${'word '.repeat((index * 7) % 23)}How do I make number ${index}?`,
);

async function judge(options: PairOptions, rows: string[] = kRows) {
  await using saferoute = await SafeRoute.load({ cacheDir: null, ...options });
  const verdicts: Verdict[] = [];
  for await (const verdict of saferoute.checkAll(rows)) verdicts.push(verdict);
  return { verdicts, stats: saferoute.stats() };
}

const outcomesOf = (verdicts: Verdict[]) => verdicts.map(({ escalation }) => escalation);
const count = (verdicts: Verdict[], outcome: Verdict['escalation']) =>
  outcomesOf(verdicts).filter((one) => one === outcome).length;

describe('the embedded pair', () => {
  it('audits the same easy rows for the same seed, and counts how the guards agree', async () => {
    const audit = { rate: 0.3, seed: 4 };
    const first = await judge({ audit });
    assert.deepEqual(outcomesOf((await judge({ audit })).verdicts), outcomesOf(first.verdicts));
    const audited = first.verdicts.filter(({ escalation }) => escalation === 'audit');
    assert.ok(audited.length > 0 && audited.every(({ large }) => large !== null));
    const label = (score = 0) => score > 0.5;
    const agreed = audited.filter(({ small, large }) => label(small.score) === label(large?.score)).length;
    const { escalation, audits } = first.stats;
    assert.deepEqual([escalation.decided, escalation.audit], [kRows.length, audited.length]);
    assert.equal(audits?.agreed, agreed);
    assert.equal((audits?.missed ?? 0) + (audits?.overblocked ?? 0), audited.length - agreed);
  });

  it('says in shadow mode what it would do, and does it without', async () => {
    const shadow = await judge({ shadow: true });
    const real = await judge({});
    const hard = outcomesOf(real.verdicts).map((outcome) => (outcome === 'rule' ? 'shadow' : outcome));
    assert.deepEqual(outcomesOf(shadow.verdicts), hard);
    assert.ok(shadow.verdicts.every(({ large, small, score }) => large === null && score === small.score));
    assert.deepEqual([shadow.stats.large?.prompts, shadow.stats.escalation.rule], [0, 0]);
    assert.equal(shadow.stats.escalation.rate, real.stats.escalation.rate);
  });

  it('keeps to its cap, and refuses beyond it where told to', async () => {
    const cap = { perSecond: 0.001 };
    const { verdicts, stats } = await judge({ escalation: { kind: 'always' }, cap });
    assert.deepEqual([count(verdicts, 'rule'), count(verdicts, 'capped')], [1, kRows.length - 1]);
    assert.deepEqual([stats.escalation.capped, stats.large?.prompts], [kRows.length - 1, 1]);
    await using refusing = await SafeRoute.load({
      escalation: { kind: 'always' },
      cap: { ...cap, otherwise: 'error' },
    });
    assert.equal((await refusing.check('one')).escalation, 'rule');
    await assert.rejects(refusing.check('two'), coded('ERR_OVERLOADED', 'the cap of 0.001 escalations per second'));
  });

  it('keeps to its budget', async () => {
    const { verdicts, stats } = await judge({ escalation: { kind: 'budget', share: 0.25, window: 40 } });
    const picked = count(verdicts, 'rule');
    assert.ok(picked > 0 && picked <= 3 * 19, `${picked} of ${kRows.length}`); // 10 and three standard deviations, three times
    assert.ok(
      stats.escalation.threshold !== null && stats.escalation.threshold >= 0 && stats.escalation.threshold <= 1,
    );
    const all = await judge({ escalation: { kind: 'budget', share: 1 } });
    assert.equal(count(all.verdicts, 'rule'), kRows.length);
  });

  it('escalates by the entropy of the calibrated score, and labels by the plain one', async () => {
    const bits = (p: number) => -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
    const calibration = { kind: 'batch', prior: 0.8 } as const;
    const { verdicts } = await judge({ escalation: { kind: 'entropy', threshold: 0.5, calibration } });
    for (const { small, escalation } of verdicts) {
      const odds = Math.exp(small.logits.unsafe - small.logits.safe) / 4; // divided by those of the prior
      assert.equal(escalation === 'rule', bits(odds / (1 + odds)) > 0.5);
    }
    assert.ok(new Set(outcomesOf(verdicts)).size === 2);
  });

  it('combines both guards’ logits', async () => {
    const combine = { kind: 'ensemble', largeWeight: 0.3 } as const;
    const { verdicts } = await judge({ escalation: { kind: 'always' }, combine }, kRows.slice(0, 10));
    for (const { score, small, large } of verdicts) {
      const logit = (reading = small) => reading.logits.unsafe - reading.logits.safe;
      const expected = 1 / (1 + Math.exp(-(0.3 * logit(large ?? small) + 0.7 * logit())));
      assert.ok(large !== null && Math.abs(score - expected) < 1e-12);
    }
  });

  it('rings where the rate leaves its band, before the verdict that set it off', async (context) => {
    const heard: string[] = [];
    const onAlarm = (message: unknown) => heard.push((message as { state: string }).state);
    const onVerdict = () => heard.push('verdict');
    diagnostics_channel.subscribe('saferoute:alarm', onAlarm);
    diagnostics_channel.subscribe('saferoute:verdict', onVerdict);
    context.after(() => diagnostics_channel.unsubscribe('saferoute:alarm', onAlarm));
    context.after(() => diagnostics_channel.unsubscribe('saferoute:verdict', onVerdict));
    const alarm = { band: [0, 0.1] as [number, number], window: 10 };
    await using saferoute = await SafeRoute.load({ escalation: { kind: 'always' }, shadow: true, alarm });
    for (const row of kRows.slice(0, 12)) await saferoute.check(row);
    assert.deepEqual(heard, [...Array(9).fill('verdict'), 'ringing', ...Array(3).fill('verdict')]);
    const stats = saferoute.stats().alarm;
    assert.deepEqual([stats?.state, stats?.rate, stats?.rung], ['ringing', 1, 1]);
    assert.ok((stats?.since ?? 0) <= Date.now());
  });
});
