// The rule and its valves with their defaults, and as native code takes them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { combinedScore } from '../../lib/combine.js';
import { nativeEscalation, nativeValves, settleEscalation, settleValves } from '../../lib/escalation-plan.js';
import { kNoValves, type ValveSettings } from '../../lib/escalation-settings.js';
import type { EntropyCalibration } from '../../lib/options.js';
import { coded } from './rejected.js';

const settle = (valves: Partial<ValveSettings>, band: [number, number] | null = null, hasLarge = true) =>
  settleValves({ ...kNoValves, ...valves }, band, hasLarge);

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

describe('settled valves', () => {
  it('are none where nothing was said', () => {
    const none = { combine: { kind: 'large' }, audit: null, alarm: null, cap: null, shadow: false };
    assert.deepEqual(settle({}), none);
    assert.deepEqual(settle({ audit: null, alarm: null, cap: null }, [0.1, 0.2]), none);
    assert.deepEqual(settle({}, null, false), none);
    assert.deepEqual(nativeValves(settle({})), { auditRate: 0, auditSeed: 0, alarm: null, cap: null, shadow: false });
  });

  it('have defaults', () => {
    const valves = settle({
      combine: { kind: 'ensemble' },
      audit: { rate: 0.1 },
      alarm: { band: [0.1, 0.2] },
      cap: { perSecond: 5 },
    });
    assert.deepEqual(valves, {
      combine: { kind: 'ensemble', largeWeight: 0.5 },
      audit: { rate: 0.1, seed: 0 },
      alarm: { band: [0.1, 0.2], window: 1000 },
      cap: { perSecond: 5, otherwise: 'small' },
      shadow: false,
    });
    assert.deepEqual(nativeValves({ ...valves, cap: { perSecond: 5, otherwise: 'error' }, shadow: true }), {
      auditRate: 0.1,
      auditSeed: 0,
      alarm: { low: 0.1, high: 0.2, window: 1000 },
      cap: { perSecond: 5, refuses: true },
      shadow: true,
    });
  });

  it('take the calibrated band for the alarm’s, unless one is given or it could never ring', () => {
    assert.deepEqual(settle({}, [0.1, 0.2]).alarm, { band: [0.1, 0.2], window: 1000 });
    assert.deepEqual(settle({ alarm: { window: 50 } }, [0.1, 0.2]).alarm, { band: [0.1, 0.2], window: 50 });
    assert.deepEqual(settle({ alarm: { band: [0, 0.5] } }, [0.1, 0.2]).alarm, { band: [0, 0.5], window: 1000 });
    assert.equal(settle({}, [0, 1]).alarm, null);
    assert.throws(() => settle({ alarm: {} }), coded('ERR_SPEC', 'band'));
    assert.throws(() => settle({ alarm: { band: [0, 1] } }), coded('ERR_SPEC', '[0, 1]', '1000'));
    assert.throws(() => settle({ alarm: { band: [0.1, 0.5], window: 10 } }), coded('ERR_SPEC', '10 requests'));
  });

  it('need a large guard', () => {
    for (const valve of [{ audit: { rate: 0.1 } }, { cap: { perSecond: 1 } }, { shadow: true }] as const) {
      assert.throws(
        () => settle(valve, null, false),
        coded('ERR_SPEC', Object.keys(valve)[0] as string, 'large guard'),
      );
    }
  });
});

describe('the rule as native code takes it', () => {
  const native = (calibration?: EntropyCalibration) =>
    nativeEscalation(settleEscalation({ kind: 'entropy', ...(calibration ? { calibration } : {}) }, true, null));

  it('has a budget’s share and window', () => {
    const budget = settleEscalation({ kind: 'budget', share: 0.2 }, true, null);
    assert.deepEqual(budget, { kind: 'budget', share: 0.2, window: 1000 });
    assert.deepEqual(nativeEscalation(budget), {
      kind: 'budget',
      threshold: 0.2,
      seed: 0,
      window: 1000,
      logitScale: 1,
      logitShift: 0,
    });
  });

  it('has each calibration as a line through the logit: over many scores the same as its formula', () => {
    const formulas: [EntropyCalibration, (p: number, z: number) => number][] = [
      [{ kind: 'temperature', temperature: 1.7 }, (_, z) => sigmoid(z / 1.7)],
      [{ kind: 'contextual', prior: 0.31 }, (p) => p / 0.31 / (p / 0.31 + (1 - p) / 0.69)],
      [{ kind: 'batch', prior: 0.8 }, (p) => p / 0.8 / (p / 0.8 + (1 - p) / 0.2)],
    ];
    for (const [calibration, formula] of formulas) {
      const { logitScale, logitShift } = native(calibration);
      for (let z = -12; z <= 12; z += 0.37) {
        const expected = formula(sigmoid(z), z);
        const line = sigmoid(logitScale * z + logitShift);
        assert.ok(Math.abs(line - expected) < 1e-12, `${calibration.kind} at ${z}: ${line}, not ${expected}`);
      }
    }
    const { logitScale, logitShift } = native();
    assert.deepEqual([logitScale, logitShift], [1, 0]);
  });
});

describe('the combined score', () => {
  const reading = (z: number) => ({ safe: 1, unsafe: 1 + z, score: sigmoid(z), feature: null });

  it('is the large guard’s, or lies between the two where its weight says', () => {
    for (let small = -8; small <= 8; small += 1.3) {
      for (let large = -8; large <= 8; large += 1.7) {
        const score = (largeWeight: number) =>
          combinedScore({ kind: 'ensemble', largeWeight }, reading(small), reading(large));
        assert.equal(combinedScore({ kind: 'large' }, reading(small), reading(large)), sigmoid(large));
        assert.ok(Math.abs(score(1) - sigmoid(large)) < 1e-15 && Math.abs(score(0) - sigmoid(small)) < 1e-15);
        assert.ok(Math.abs(score(0.25) - sigmoid(0.25 * large + 0.75 * small)) < 1e-15);
      }
    }
  });
});
