// The valves of a pair as callers meet them: in verdicts, stages, stats and on the channel, over an addon without native code.
import assert from 'node:assert/strict';
import diagnostics_channel from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { NativeAlarm } from '../../lib/native-escalation.js';
import type { PairOptions } from '../../lib/options.js';
import { openPair } from '../../lib/saferoute.js';
import { scratchFolder } from './checkpoint/scratch.js';
import { FakeAddon, kIdleValves } from './fake-addon.js';
import { fakePair, kEasy, kHard, kLlamaGuard, kLongIsHard, kPair, kQwenGuard, until } from './fixture-pairs.js';
import { coded } from './rejected.js';

const kNoOne: PairOptions = { ...kPair, escalation: { kind: 'never' } };

describe('a verdict', () => {
  it('says whether the large guard was asked, and why or why not', async (context) => {
    const outcomes = async (options: PairOptions, capped = false) => {
      const { saferoute, engine } = await fakePair(context, { ...kLongIsHard, capped }, { ...kPair, ...options });
      const verdicts = [await saferoute.check(kEasy), await saferoute.check(kHard)];
      assert.ok(verdicts.every(({ route, large }) => (route === 'large') === (large !== null)));
      const asked = engine.submissions.filter(({ largeIds }) => largeIds !== null).length;
      return [...verdicts.map(({ escalation, route }) => `${escalation} ${route}`), asked];
    };
    assert.deepEqual(await outcomes({}), ['none small', 'rule large', 2]);
    assert.deepEqual(await outcomes({ audit: { rate: 1 } }), ['audit large', 'rule large', 2]);
    assert.deepEqual(await outcomes({ cap: { perSecond: 1 } }, true), ['none small', 'capped small', 2]);
    // Nothing is made ready for a guard that is not to be asked.
    assert.deepEqual(await outcomes({ shadow: true, audit: { rate: 1 } }), ['none small', 'shadow small', 0]);
    assert.deepEqual(await outcomes(kNoOne), ['none small', 'none small', 0]);
    assert.deepEqual(await outcomes({ ...kNoOne, audit: { rate: 1 } }), ['audit large', 'audit large', 2]);
  });

  it('has the score of both guards’ logits where they are combined, and shows both readings', async (context) => {
    const { saferoute } = await fakePair(context, kLongIsHard, {
      ...kPair,
      combine: { kind: 'ensemble', largeWeight: 0.25 },
      unsafeAt: 0.3,
    });
    // A small score of 1/4 and a large one of 3/4 are logits of -ln 3 and ln 3: together -ln(3)/2.
    const expected = 1 / (1 + Math.sqrt(3));
    const verdict = await saferoute.check(kHard);
    assert.ok(Math.abs(verdict.score - expected) < 1e-12);
    assert.deepEqual(
      [verdict.label, verdict.route, verdict.small.score, verdict.large?.score],
      ['unsafe', 'large', 0.25, 0.75],
    );
    for await (const row of saferoute.checkAll([kHard])) assert.equal(row.score, verdict.score);
    const stages = [];
    for await (const stage of saferoute.stages(kHard)) stages.push(stage);
    const last = stages[1];
    assert.ok(last?.stage === 'large');
    assert.deepEqual([last.label, last.reading.score, last.verdict.score], ['unsafe', 0.75, verdict.score]);
    const moderation = saferoute.moderate([kHard], { messages: kEasy, onUnsafe: 'end' });
    for await (const _ of moderation);
    assert.equal((await moderation.verdict)?.score, verdict.score);
    assert.equal((await saferoute.check(kEasy)).score, 0.25);
  });

  it('is no verdict where the cap refuses', async (context) => {
    const { saferoute, engine } = await fakePair(context, { held: true });
    const refused = saferoute.check(kHard);
    await until(() => engine.submissions.length === 1);
    engine.emit([{ kind: 'error', ticket: 1, code: 'ERR_OVERLOADED', message: 'the cap of 5 …' }]);
    await assert.rejects(refused, coded('ERR_OVERLOADED', 'the cap of 5'));
  });

  it('is told of at its first stage, with the reason', async (context) => {
    const first = async (options: PairOptions, text: string) => {
      const { saferoute } = await fakePair(context, kLongIsHard, { ...kPair, ...options });
      const { value } = await saferoute.stages(text).next();
      assert.ok(value?.stage === 'small');
      return [value.escalated, value.escalation, value.verdict?.escalation];
    };
    assert.deepEqual(await first({}, kHard), [true, 'rule', undefined]);
    assert.deepEqual(await first({ audit: { rate: 1 } }, kEasy), [true, 'audit', undefined]);
    assert.deepEqual(await first({ shadow: true }, kHard), [false, 'shadow', 'shadow']);
  });
});

describe('the order of the calls', () => {
  it('is kept wherever a coin is thrown for a request', async (context) => {
    const prompts = Array.from({ length: 40 }, (_, index) => 'word '.repeat(1 + ((index * 17) % 40)));
    const alone = await fakePair(context);
    for (const prompt of prompts) await alone.saferoute.check(prompt);
    const lengths = alone.engine.submissions.map(({ smallIds }) => smallIds?.length);
    for (const options of [{ audit: { rate: 0.1 } }, { escalation: { kind: 'budget', share: 0.2 } }] as const) {
      const { saferoute, engine } = await fakePair(context, {}, { ...kPair, ...options });
      await Promise.all(prompts.map((prompt) => saferoute.check(prompt)));
      assert.deepEqual(
        engine.submissions.map(({ smallIds }) => smallIds?.length),
        lengths,
      );
    }
  });
});

describe('stats and alarms', () => {
  const kAlarm: NativeAlarm = {
    ringing: true,
    rate: 0.4,
    low: 0.1,
    high: 0.2,
    ringsBelow: 0.05,
    ringsAbove: 0.26,
    window: 1000,
    ringingMs: 0,
    rung: 1,
  };

  it('tell of every outcome, of the audits and of the alarm', async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const valves = {
      ...kIdleValves,
      decided: 100,
      rule: 10,
      audit: 8,
      capped: 4,
      shadow: 0,
      auditsSkipped: 2,
      auditsAgreed: 5,
      auditsOnlyLargeUnsafe: 2,
      auditsOnlySmallUnsafe: 1,
      budgetThreshold: 0.7,
      alarm: { ...kAlarm, ringingMs: 400 },
    };
    const { saferoute } = await fakePair(context, { stats: () => ({ valves }) }, { ...kPair, audit: { rate: 0.1 } });
    const { escalation, audits, alarm } = saferoute.stats();
    assert.deepEqual(escalation, {
      decided: 100,
      rule: 10,
      audit: 8,
      capped: 4,
      shadow: 0,
      rate: 0.14,
      threshold: 0.7,
    });
    assert.deepEqual(audits, { agreed: 5, missed: 2, overblocked: 1, skipped: 2 });
    const band = { rate: 0.4, band: [0.1, 0.2], limits: [0.05, 0.26], window: 1000 };
    assert.deepEqual(alarm, { state: 'ringing', ...band, since: 999_600, rung: 1 });
    const quiet = await fakePair(context, { stats: () => ({ valves: { ...valves, alarm: null } }) });
    assert.deepEqual([quiet.saferoute.stats().audits, quiet.saferoute.stats().alarm], [null, null]);
  });

  it('are heard on the channel: once when the rate leaves its band, once when it is back', async (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
    const heard: unknown[] = [];
    const listener = (message: unknown) => heard.push(message);
    diagnostics_channel.subscribe('saferoute:alarm', listener);
    context.after(() => diagnostics_channel.unsubscribe('saferoute:alarm', listener));
    const { engine } = await fakePair(context, {}, { ...kPair, alarm: { band: [0.1, 0.2] } });
    engine.emit([{ kind: 'alarm', ticket: 0, alarm: kAlarm }]);
    const over = { ...kAlarm, ringing: false, rate: 0.2, ringingMs: 700 };
    context.mock.timers.setTime(1_000_700);
    engine.emit([{ kind: 'alarm', ticket: 0, alarm: over }]);
    const told = {
      band: [0.1, 0.2],
      limits: [0.05, 0.26],
      window: 1000,
      since: 1_000_000,
      small: kLlamaGuard,
      large: kQwenGuard,
    };
    assert.deepEqual(heard, [
      { ...told, state: 'ringing', rate: 0.4, rangMs: null },
      { ...told, state: 'quiet', rate: 0.2, rangMs: 700 },
    ]);
  });
});

describe('valves of saferoute.json', () => {
  const kFiled = {
    small: kLlamaGuard,
    large: kQwenGuard,
    escalation: { kind: 'entropy' },
    audit: { rate: 0.1 },
    cap: { perSecond: 5 },
    calibrated: { rows: 900, rate: 0.11, band: [0.09, 0.13], confidence: 0.95, target: 'f1' },
  };

  it('hold until an option says otherwise, and the calibrated band only for what was calibrated', async (context) => {
    const dir = scratchFolder(context);
    writeFileSync(join(dir, 'saferoute.json'), JSON.stringify(kFiled));
    const valves = async (options: PairOptions) => {
      const saferoute = await openPair(dir, options, () => new FakeAddon());
      await saferoute.close();
      return saferoute.valves;
    };
    const filed = await valves({});
    assert.deepEqual([filed.audit?.rate, filed.cap?.perSecond, filed.alarm?.band], [0.1, 5, [0.09, 0.13]]);
    const given = await valves({ audit: { rate: 0.5, seed: 9 }, cap: null, alarm: null, shadow: true });
    assert.deepEqual([given.audit, given.cap, given.alarm, given.shadow], [{ rate: 0.5, seed: 9 }, null, null, true]);
    assert.equal((await valves({ escalation: { kind: 'entropy', threshold: 0.9 } })).alarm, null);
    const alone = await valves({ large: null });
    assert.deepEqual([alone.audit, alone.cap, alone.alarm], [null, null, null]);
  });

  it('are refused beside a large guard that an option takes away', async (context) => {
    const dir = scratchFolder(context);
    writeFileSync(join(dir, 'saferoute.json'), JSON.stringify(kFiled));
    const load = openPair(dir, { large: null, audit: { rate: 0.1 } }, () => new FakeAddon());
    await assert.rejects(load, coded('ERR_SPEC', "'audit'", 'large guard'));
  });
});
