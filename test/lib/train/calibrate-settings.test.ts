// What `calibrate` writes into saferoute.json, with a router that a fake addon plays, and when it writes nothing.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openPair } from '../../../lib/checkpoint/index.js';
import { openGuardFiles } from '../../../lib/load.js';
import { calibrateWith } from '../../../lib/train/calibrate.js';
import { fingerprintOf } from '../../../lib/train/guard-fingerprint.js';
import { parseGuardOptions } from '../../../lib/validate-options.js';
import { scratchFolder } from '../checkpoint/scratch.js';
import { coded } from '../rejected.js';
import { calibrated, fakeOf, featuresOf, kRouter, type Traffic, traffic } from './calibration-traffic.js';

const kModels = join(__dirname, '..', '..', '..', 'models', 'tiny');

/** A pair's folder with copies of nothing: the guards are where the features say, as far as anybody looks. */
function pairFolder(test: TestContext, rows: Traffic, settings: Record<string, unknown> = {}): string {
  const folder = scratchFolder(test);
  for (const guard of ['small', 'large'] as const) {
    mkdirSync(join(folder, guard));
    rows.table[guard].dir = join(folder, guard);
  }
  const text = JSON.stringify({ small: 'small', large: 'large', ...settings }, null, 4);
  writeFileSync(join(folder, 'saferoute.json'), `${text}\n`);
  return folder;
}

describe('saferoute.json', () => {
  it('gets the threshold in its place, and keeps all else as it was', async (test) => {
    const rows = traffic(500, 12);
    const folder = pairFolder(test, rows, {
      escalation: { kind: 'never' },
      unsafeAt: 0.45,
      combine: { kind: 'ensemble', largeWeight: 0.75 },
    });
    const options = { target: { kind: 'escalation', atMost: 0.3 }, pair: folder } as const;
    const { escalation, calibrated: record, path } = await calibrated(test, rows, options);
    assert.equal(path, join(folder, 'saferoute.json'));
    const text = readFileSync(join(folder, 'saferoute.json'), 'utf8');
    const written = JSON.parse(text);
    assert.deepEqual(Object.keys(written), [
      'small',
      'large',
      'escalation',
      'unsafeAt',
      'combine',
      'router',
      'calibrated',
    ]);
    assert.deepEqual([written.escalation, written.calibrated], [escalation, record]);
    assert.ok(text.startsWith('{\n    "small"') && text.endsWith('}\n'));
    const pair = await openPair(folder);
    assert.equal(pair.router, kRouter);
    assert.equal(pair.calibrated?.target, 'escalation at most 0.3');
    assert.deepEqual(readdirSync(folder).sort(), ['large', 'saferoute.json', 'small']);
    // Once more, now by the router that the pair itself names.
    const again = await calibrateWith(
      await featuresOf(test, rows),
      { target: { kind: 'f1' }, pair: join(folder, 'saferoute.json') },
      () => fakeOf(rows.hardness),
    );
    assert.equal(again.rule, 'router');
    assert.deepEqual((await openPair(folder)).escalation, again.escalation);
  });

  it('counts with its own cut of the score and its own ensemble', async (test) => {
    const rows = traffic(500, 13);
    const options = { target: { kind: 'f1' } } as const;
    const plain = await calibrated(test, rows, options);
    const cut = await calibrated(test, rows, { ...options, pair: pairFolder(test, rows, { unsafeAt: 0.8 }) });
    assert.ok((cut.bounds.small.recall as number) < (plain.bounds.small.recall as number));
    const combine = { kind: 'ensemble', largeWeight: 0 };
    await assert.rejects(
      calibrated(test, rows, { ...options, pair: pairFolder(test, rows, { combine }) }),
      coded('ERR_DATA', 'none of the 500 rows is hard'),
    );
  });

  it('is made, with its folder, where there is none, and found through a link', async (test) => {
    const rows = traffic(500, 14);
    const folder = join(scratchFolder(test), 'new', 'pair');
    rows.table.small.dir = join(folder, 'guards', 'small');
    const options = { target: { kind: 'f1' }, pair: folder } as const;
    await calibrated(test, rows, options);
    const written = JSON.parse(readFileSync(join(folder, 'saferoute.json'), 'utf8'));
    assert.equal(written.small, 'guards/small');
    assert.equal((await openPair(folder)).large, '/guards/large');

    const linked = scratchFolder(test);
    const other = pairFolder(test, rows, { small: folder, large: folder });
    rows.table.small.dir = folder;
    rows.table.large.dir = folder;
    symlinkSync(join(other, 'saferoute.json'), join(linked, 'saferoute.json'));
    await calibrated(test, rows, { ...options, pair: linked });
    assert.ok(lstatSync(join(linked, 'saferoute.json')).isSymbolicLink());
    const { calibrated: record, router } = await openPair(linked);
    assert.deepEqual([record?.rows, router], [500, kRouter]);
  });

  it('stays as it was where anything goes wrong', async (test) => {
    const rows = traffic(60, 15);
    const folder = pairFolder(test, rows);
    const before = readFileSync(join(folder, 'saferoute.json'), 'utf8');
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'escalation', atMost: 0.01 }, pair: folder }),
      coded('ERR_DATA', 'escalation at most 0.01', 'nearest', '60', '299'),
    );
    assert.equal(readFileSync(join(folder, 'saferoute.json'), 'utf8'), before);
    const aborted = AbortSignal.abort('enough');
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'f1' }, pair: folder, signal: aborted }),
      coded('ERR_ABORTED'),
    );
    const place = join(folder, 'new', 'pair');
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'escalation', atMost: 0.01 }, pair: place }),
      coded('ERR_DATA'),
    );
    assert.ok(!existsSync(join(folder, 'new')));
    const file = join(folder, 'a file');
    writeFileSync(file, '');
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'f1' }, pair: file }),
      coded('ERR_CHECKPOINT', 'a file', 'a pair is a directory'),
    );
  });

  it('must be of the guards that read the rows, wherever they lie', async (test) => {
    const rows = traffic(60, 16);
    const [small, large] = [join(kModels, 'small'), join(kModels, 'large')];
    const settings = parseGuardOptions({ precision: 'int8' });
    const fingerprint = async (dir: string) =>
      fingerprintOf(await openGuardFiles({ dir, guard: null }, settings), settings, fakeOf(rows.hardness));
    const folder = pairFolder(test, rows, { small, large });
    rows.table.small.fingerprint = await fingerprint(small);
    rows.table.large.fingerprint = await fingerprint(large);
    const options = { target: { kind: 'f1' }, pair: folder } as const;
    assert.equal((await calibrated(test, rows, options)).path, join(folder, 'saferoute.json'));
    settings.overlong = 'truncate';
    rows.table.small.fingerprint = await fingerprint(small);
    assert.equal((await calibrated(test, rows, options)).rule, 'router');
    rows.table.large.fingerprint = await fingerprint(small);
    await assert.rejects(calibrated(test, rows, options), coded('ERR_DATA', 'large guard', large));
  });

  it('must have a large guard', async (test) => {
    const rows = traffic(60, 16);
    await assert.rejects(
      calibrated(test, rows, { target: { kind: 'f1' }, pair: pairFolder(test, rows, { large: null }) }),
      coded('ERR_SPEC', "'large' is missing"),
    );
  });
});
