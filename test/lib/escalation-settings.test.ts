// The rule and its valves as options and as keys of saferoute.json: what is taken, what is refused, and in which words.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openPair } from '../../lib/checkpoint/index.js';
import { kNoValves } from '../../lib/escalation-settings.js';
import { parsePairOptions } from '../../lib/validate-options.js';
import { scratchFile } from './checkpoint/scratch.js';
import { coded } from './rejected.js';

const kTaken = {
  escalation: { kind: 'entropy', threshold: 0.4, calibration: { kind: 'temperature', temperature: 1.5 } },
  combine: { kind: 'ensemble', largeWeight: 0.7 },
  audit: { rate: 0.01, seed: 3 },
  alarm: { band: [0.05, 0.2], window: 500 },
  cap: { perSecond: 2.5, otherwise: 'error' },
  shadow: true,
};

const kParts = { small: 's', large: 'l', router: 'r' };

describe('settings of escalation', () => {
  it('are read alike from options and from saferoute.json, and copied', async (context) => {
    const { escalation, ...valves } = kTaken;
    const options = parsePairOptions(kTaken);
    assert.deepEqual(options.escalation, escalation);
    assert.deepEqual(options.valves, valves);
    assert.notEqual(options.valves.alarm?.band, valves.alarm.band);
    const filed = await openPair(scratchFile(context, 'saferoute.json', JSON.stringify({ ...kParts, ...kTaken })));
    assert.deepEqual(filed.escalation, escalation);
    assert.deepEqual(filed.valves, valves);
  });

  it('may leave out all that has a default', () => {
    for (const setting of [
      { escalation: { kind: 'budget', share: 0.2 } },
      { escalation: { kind: 'entropy', calibration: { kind: 'contextual', prior: 0.3 } } },
      { escalation: { kind: 'entropy', calibration: { kind: 'batch', prior: 1e-300 } } },
    ]) {
      assert.deepEqual(parsePairOptions(setting).escalation, setting.escalation);
    }
    for (const valve of [
      { combine: { kind: 'large' } },
      { combine: { kind: 'ensemble' } },
      { audit: { rate: 0 } },
      { alarm: {} },
      { cap: { perSecond: 0.001 } },
      { audit: null, alarm: null, cap: null, shadow: false },
    ]) {
      assert.deepEqual(parsePairOptions(valve).valves, { ...kNoValves, ...valve });
    }
  });

  const wrong: [string, unknown, string, string[]][] = [
    ['a budget without a share', { escalation: { kind: 'budget' } }, 'TYPE', ['escalation.share', '0 to 1']],
    [
      'a budget of a short window',
      { escalation: { kind: 'budget', share: 0.2, window: 9 } },
      'RANGE',
      ['window', '9', '10 to 100000'],
    ],
    ['a calibration of another rule', { escalation: { kind: 'router', calibration: {} } }, 'NAME', ['calibration']],
    [
      'a calibration of no kind',
      { escalation: { kind: 'entropy', calibration: {} } },
      'TYPE',
      ['escalation.calibration.kind', "'temperature'"],
    ],
    [
      'a temperature of 0',
      { escalation: { kind: 'entropy', calibration: { kind: 'temperature', temperature: 0 } } },
      'RANGE',
      ['calibration.temperature', '0.001 to 1000', 'got 0'],
    ],
    [
      'a prior of 1',
      { escalation: { kind: 'entropy', calibration: { kind: 'batch', prior: 1 } } },
      'RANGE',
      ['calibration.prior', 'between 0 and 1', 'got 1'],
    ],
    [
      'no prior',
      { escalation: { kind: 'entropy', calibration: { kind: 'contextual' } } },
      'TYPE',
      ['calibration.prior'],
    ],
    [
      'a prior for a temperature',
      { escalation: { kind: 'entropy', calibration: { kind: 'temperature', temperature: 1, prior: 0.5 } } },
      'NAME',
      ['prior'],
    ],
    ['an unknown combination', { combine: { kind: 'mean' } }, 'RANGE', ['combine.kind', "'mean'", "'ensemble'"]],
    ['a combination of null', { combine: null }, 'TYPE', ['combine', 'null']],
    ['a weight for the large guard alone', { combine: { kind: 'large', largeWeight: 1 } }, 'NAME', ['largeWeight']],
    ['a weight above 1', { combine: { kind: 'ensemble', largeWeight: 2 } }, 'RANGE', ['combine.largeWeight', '2']],
    ['an audit without a rate', { audit: {} }, 'TYPE', ['audit.rate']],
    ['an audit of a number', { audit: 0.1 }, 'TYPE', ['audit', 'an object', '0.1']],
    ['a fractional seed', { audit: { rate: 0.1, seed: 0.5 } }, 'RANGE', ['audit.seed', '0.5', 'whole number']],
    ['a band of one rate', { alarm: { band: [0.1] } }, 'TYPE', ['alarm.band', '[low, high]']],
    ['a band upside down', { alarm: { band: [0.2, 0.1] } }, 'RANGE', ['alarm.band', 'low ≤ high', '[0.2, 0.1]']],
    ['a band beyond 1', { alarm: { band: [0, 1.1] } }, 'RANGE', ['alarm.band[1]', '1.1']],
    ['a cap of nothing', { cap: { perSecond: 0 } }, 'RANGE', ['cap.perSecond', '0.001 to 1000000', 'got 0']],
    ['a cap without a number', { cap: { otherwise: 'error' } }, 'TYPE', ['cap.perSecond']],
    ['a cap that drops', { cap: { perSecond: 1, otherwise: 'drop' } }, 'RANGE', ['cap.otherwise', "'drop'", "'small'"]],
    ['a shadow of 1', { shadow: 1 }, 'TYPE', ['shadow', 'a boolean']],
    ['a word for a number', { cap: { perSecond: 'many' } }, 'TYPE', ['cap.perSecond', "'many'"]],
  ];
  const kCodes: Record<string, string> = {
    TYPE: 'ERR_INVALID_ARG_TYPE',
    NAME: 'ERR_INVALID_ARG_TYPE',
    RANGE: 'ERR_OUT_OF_RANGE',
  };
  for (const [what, settings, kind, named] of wrong) {
    it(`refuse ${what}`, async (context) => {
      assert.throws(() => parsePairOptions(settings), coded(kCodes[kind] as string, 'options.', ...named));
      const file = scratchFile(context, 'saferoute.json', JSON.stringify({ ...kParts, ...(settings as object) }));
      await assert.rejects(openPair(file), coded('ERR_SPEC', 'saferoute.json', ...named));
    });
  }

  it('of a file need a large guard there, and NaN is no number', async (context) => {
    for (const [key, value] of Object.entries({ audit: { rate: 0.1 }, shadow: true, combine: { kind: 'ensemble' } })) {
      const file = scratchFile(context, 'saferoute.json', JSON.stringify({ small: 's', [key]: value }));
      await assert.rejects(openPair(file), coded('ERR_SPEC', `'${key}' needs a large guard`));
    }
    assert.throws(() => parsePairOptions({ audit: { rate: Number.NaN } }), coded('ERR_OUT_OF_RANGE', 'NaN'));
  });
});

describe('the record of a calibration', () => {
  const kRecord = { rows: 900, rate: 0.11, band: [0.09, 0.13], confidence: 0.95, target: 'f1' };
  const open = (context: Parameters<typeof scratchFile>[0], calibrated: unknown) =>
    openPair(scratchFile(context, 'saferoute.json', JSON.stringify({ ...kParts, calibrated })));

  it('is read from saferoute.json', async (context) => {
    assert.deepEqual((await open(context, kRecord)).calibrated, kRecord);
    assert.equal((await open(context, null)).calibrated, null);
  });

  it('is refused where a part is missing or makes no sense', async (context) => {
    const refuses = (change: object, ...named: string[]) =>
      assert.rejects(open(context, { ...kRecord, ...change }), coded('ERR_SPEC', ...named));
    await refuses({ rows: 0 }, "'calibrated.rows'", 'got 0');
    await refuses({ rows: undefined }, "'calibrated.rows'", 'got nothing');
    await refuses({ rate: 2 }, "'calibrated.rate'");
    await refuses({ band: [0.2, 0.1] }, "'calibrated.band'");
    await refuses({ confidence: '95 %' }, "'calibrated.confidence'");
    await refuses({ target: 5 }, "'calibrated.target'", 'got 5');
    await refuses({ when: 'today' }, "'calibrated.when'");
    await assert.rejects(open(context, 5), coded('ERR_SPEC', "'calibrated' must be an object"));
  });
});
