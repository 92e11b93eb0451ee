import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openPair } from '../../../lib/checkpoint/index.js';
import { kNoValves } from '../../../lib/escalation-settings.js';
import { assertRefused } from './refused.js';
import { scratchFile } from './scratch.js';

const kPair = { small: 'small', large: '../guards/large', router: 'router.pt' };

const write = (test: TestContext, pair: unknown): string => scratchFile(test, 'saferoute.json', JSON.stringify(pair));

describe('openPair', () => {
  it('reads paths relative to the file, whether it or its folder is named', async (test) => {
    const path = write(test, {
      ...kPair,
      large: '/srv/large',
      escalation: { kind: 'router', threshold: 0.7 },
      unsafeAt: 0.4,
    });
    const folder = dirname(path);
    const expected = {
      path,
      small: join(folder, 'small'),
      large: '/srv/large',
      router: join(folder, 'router.pt'),
      escalation: { kind: 'router', threshold: 0.7 },
      unsafeAt: 0.4,
      valves: kNoValves,
      calibrated: null,
    };
    assert.deepEqual(await openPair(path), expected);
    assert.deepEqual(await openPair(folder), expected);
  });

  it('takes a small guard alone', async (test) => {
    const path = write(test, { small: 'small' });
    const alone = {
      path,
      small: join(dirname(path), 'small'),
      large: null,
      router: null,
      escalation: null,
      unsafeAt: null,
      valves: kNoValves,
      calibrated: null,
    };
    assert.deepEqual(await openPair(path), alone);
    assert.deepEqual(
      await openPair(write(test, { small: 's', large: null, router: null, escalation: { kind: 'never' } })).then(
        (pair) => pair.large,
      ),
      null,
    );
  });

  it('reads every escalation rule, with and without its numbers', async (test) => {
    for (const escalation of [
      { kind: 'router' },
      { kind: 'router', threshold: 0 },
      { kind: 'entropy' },
      { kind: 'entropy', threshold: 1 },
      { kind: 'random' },
      { kind: 'random', rate: 0.25, seed: 2 ** 53 - 1 },
      { kind: 'always' },
      { kind: 'never' },
    ]) {
      assert.deepEqual((await openPair(write(test, { ...kPair, escalation }))).escalation, escalation);
    }
  });

  const wrong: [string, unknown, RegExp][] = [
    ['no object', [], /is not a JSON object/],
    [
      'an unknown key',
      { ...kPair, treshold: 0.5 },
      /unknown key 'treshold'; known: small, large, router, escalation, unsafeAt, combine, audit, alarm, cap, shadow, calibrated/,
    ],
    ['no small guard', { large: 'large' }, /'small' is missing: the directory of the small guard/],
    ['an empty path', { ...kPair, small: '' }, /'small' must be a path, got ''/],
    ['a path that is a number', { ...kPair, large: 7 }, /'large' must be a path, got 7/],
    ['a path that is an object', { ...kPair, router: {} }, /'router' must be a path, got \{\}/],
    [
      'escalation that is a name',
      { ...kPair, escalation: 'router' },
      /'escalation' must be an object with kind, got 'router'/,
    ],
    [
      'escalation of no kind',
      { ...kPair, escalation: {} },
      /'escalation\.kind' must be one of 'router', .*, 'never', got nothing/,
    ],
    [
      'an unknown kind',
      { ...kPair, escalation: { kind: 'sometimes' } },
      /'escalation\.kind' must be one of .*, got 'sometimes'/,
    ],
    ['a kind that objects have', { ...kPair, escalation: { kind: 'toString' } }, /must be one of .*, got 'toString'/],
    [
      'a number of another kind',
      { ...kPair, escalation: { kind: 'router', rate: 1 } },
      /unknown key 'escalation\.rate'; known: escalation\.kind, escalation\.threshold/,
    ],
    [
      'a number for always',
      { ...kPair, escalation: { kind: 'always', threshold: 1 } },
      /unknown key 'escalation\.threshold'/,
    ],
    [
      'a threshold above 1',
      { ...kPair, escalation: { kind: 'router', threshold: 1.5 } },
      /'escalation\.threshold' must be a number from 0 to 1, got 1\.5/,
    ],
    ['a threshold below 0', { ...kPair, escalation: { kind: 'entropy', threshold: -0.1 } }, /from 0 to 1, got -0\.1/],
    [
      'a threshold that is text',
      { ...kPair, escalation: { kind: 'router', threshold: '0.5' } },
      /from 0 to 1, got '0\.5'/,
    ],
    ['a threshold of null', { ...kPair, escalation: { kind: 'router', threshold: null } }, /from 0 to 1, got null/],
    [
      'a fractional seed',
      { ...kPair, escalation: { kind: 'random', seed: 0.5 } },
      /'escalation\.seed' must be a whole number from 0 to 9007199254740991, got 0\.5/,
    ],
    ['an absurd unsafeAt', { ...kPair, unsafeAt: 2 }, /'unsafeAt' must be a number from 0 to 1, got 2/],
    [
      'a rule without a large guard',
      { small: 's', escalation: { kind: 'entropy' } },
      /escalation by 'entropy' needs a large guard/,
    ],
    [
      'the router rule without a router',
      { ...kPair, router: null, escalation: { kind: 'router' } },
      /escalation by 'router' needs a router/,
    ],
  ];
  for (const [what, pair, message] of wrong) {
    it(`refuses ${what}`, async (test) => {
      await assertRefused(openPair(write(test, pair)), 'ERR_SPEC', /saferoute\.json: /, message);
    });
  }

  it('refuses a file that is missing, broken or says something twice', async (test) => {
    const folder = dirname(scratchFile(test, 'other.json', '{}'));
    await assertRefused(openPair(folder), 'ERR_CHECKPOINT', /saferoute\.json: no such file/);
    await assertRefused(openPair(join(folder, 'none')), 'ERR_CHECKPOINT', /none: no such file or directory/);
    await assertRefused(openPair(scratchFile(test, 'a.json', '{')), 'ERR_CHECKPOINT', /is not valid JSON/);
    await assertRefused(
      openPair(scratchFile(test, 'a.json', '{"small":"a","small":"b"}')),
      'ERR_CHECKPOINT',
      /'small' stands twice/,
    );
  });
});
