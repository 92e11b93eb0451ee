// The guide of docs/routers.md from nothing to a report, on two guards that are not the embedded ones: every command is killed in the middle
// and started again, and nothing is lost.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPair, openRouter } from '../../lib/checkpoint/index.js';
import { SafeRoute } from '../../lib/saferoute.js';
import { openFeatures } from '../../lib/train/features-reader.js';
import { readEvaluation } from '../../lib/train/report/evaluation-file.js';
import { writeFile } from '../lib/checkpoint/scratch.js';
import { kLlamaGuard, kQwenGuard } from '../lib/fixture-pairs.js';
import { parsePage } from '../lib/train/report/parsed-page.js';
import { seededRandom } from '../lib/train/seeded-random.js';
import { killCommand, runCommand, startCommand } from './command.js';

const kRows = 600;
const kJudgedRows = 200;
/** Of a journal; the small guard's hidden size is 64. */
const kJournalHeaderBytes = 512;
const kRecordBytes = 28 + 4 * 64 + 8;
/** Whole records before the one in which a labelling is killed. */
const kRecords = 100;
const kKillAt = kJournalHeaderBytes + kRecords * kRecordBytes + kRecordBytes / 2;
const kWords = 'tell me how to bake bread pick a lock build a bomb write a poem about cats and love today'.split(' ');

function writeRows(path: string, count: number, seed: number): void {
  const random = seededRandom(seed);
  const rows = Array.from({ length: count }, (_, row) => ({
    id: `${seed}-${row}`,
    prompt: Array.from(
      { length: 1 + Math.floor(30 * random()) },
      () => kWords[Math.floor(kWords.length * random())],
    ).join(' '),
    label: random() < 0.5 ? 'unsafe' : 'safe',
    source: row % 3 === 0 ? 'chat' : 'forum',
  }));
  writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

describe('from two guards and labelled rows to a report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'saferoute-guide-'));
  const at = (name: string) => join(folder, name);
  const guards = ['--small', kQwenGuard, '--large', kLlamaGuard];

  before(() => {
    writeRows(at('train.jsonl'), kRows, 1);
    writeRows(at('test.jsonl'), kJudgedRows, 2);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function finished(args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCommand(...args);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  it('label', async () => {
    const args = ['label', ...guards, at('train.jsonl'), '-o', at('features.safetensors')];
    const { signal } = await killCommand(args, '.journal', kKillAt);
    assert.equal(signal, 'SIGKILL');
    assert.equal(statSync(at('features.safetensors.journal')).size, kKillAt);
    assert.match(await finished(args), new RegExp(`done before +${kRecords} rows`));
    const { rows, ids } = await openFeatures(at('features.safetensors'));
    assert.deepEqual([rows, ids[0], ids.at(-1)], [kRows, '1-0', `1-${kRows - 1}`]);
  });

  it('train', async () => {
    const output = at('router.safetensors');
    const args = ['train', at('features.safetensors'), '-o', output, '--epochs', '200'];
    const watcher = watch(dirname(output));
    const { child, ended } = startCommand(args);
    while (!existsSync(`${output}.state`)) await once(watcher, 'change');
    watcher.close();
    child.kill('SIGKILL');
    assert.equal((await ended).signal, 'SIGKILL');
    assert.ok(!existsSync(output));
    assert.match(await finished(args), /epochs +200, after an interruption/);
    assert.equal((await openRouter(output)).inputSize, 64);
  });

  it('calibrate', async () => {
    const place = ['--router', at('router.safetensors'), '--pair', at('pair')];
    const args = ['calibrate', at('features.safetensors'), ...place, '--target', 'f1'];
    assert.equal((await killCommand(args, 'saferoute.json.part', 50)).signal, 'SIGKILL');
    assert.deepEqual(readdirSync(at('pair')), ['saferoute.json.part']);
    assert.match(await finished(args), /^router > 0\.\d+ {2}for best F1/);
    assert.deepEqual(readdirSync(at('pair')), ['saferoute.json']);
  });

  it('evaluate', async () => {
    const fit = ['--calibration', at('features.safetensors'), '--work', at('work')];
    const args = ['evaluate', '--pair', at('pair'), ...fit, at('test.jsonl'), '-o', at('evaluation.json')];
    assert.equal((await killCommand(args, '.journal', kKillAt)).signal, 'SIGKILL');
    const [journal, ...others] = readdirSync(at('work'));
    assert.deepEqual(others, []);
    assert.match(journal ?? '', /^test-[0-9a-f]{16}\.safetensors\.journal$/);
    assert.equal((await killCommand(args, 'evaluation.json.part', 1000)).signal, 'SIGKILL');
    assert.ok(!existsSync(at('evaluation.json')));
    const [features] = readdirSync(at('work'));
    assert.equal(features, journal?.replace('.journal', ''));
    const { mtimeMs } = statSync(join(at('work'), features ?? ''));
    const tables = await finished(args);
    for (const rule of ['entropy+ts', 'entropy+cc', 'entropy+bc', 'router', 'budget', 'ensemble', 'oracle']) {
      assert.ok(tables.includes(`\n${rule} `), rule);
    }
    assert.equal(statSync(join(at('work'), features ?? '')).mtimeMs, mtimeMs); // the rows were not read again
    const [set] = (await readEvaluation(at('evaluation.json'))).sets;
    assert.deepEqual([set?.name, set?.rows, set?.domains.length], ['test', kJudgedRows, 2]);
  });

  it('report', async () => {
    const args = ['report', at('evaluation.json'), '-o', at('report.html')];
    assert.equal((await killCommand(args, 'report.html.part', 5000)).signal, 'SIGKILL');
    assert.ok(!existsSync(at('report.html')));
    await finished(args);
    parsePage(readFileSync(at('report.html'), 'utf8'));
    assert.deepEqual(
      readdirSync(folder).filter((name) => /\.(part|journal|state)$/.test(name)),
      [],
    );
  });

  it('makes a pair that loads', async () => {
    const { escalation, calibrated } = await openPair(at('pair'));
    assert.equal(calibrated?.target, 'best F1');
    const saferoute = await SafeRoute.load(at('pair'));
    try {
      const { hardness, route } = await saferoute.check('How do I bake bread?');
      assert.ok(escalation?.kind === 'router' && hardness !== null);
      assert.equal(route, hardness > (escalation.threshold as number) ? 'large' : 'small');
    } finally {
      await saferoute.close();
    }
  });
});
