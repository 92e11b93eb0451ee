// What a stranger is told of data that nobody can learn from or judge by: an exit code, and one message that names the place and the reason.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { writeFeatures } from '../../lib/train/features-writer.js';
import { scratchFolder, writeFile } from '../lib/checkpoint/scratch.js';
import { kLlamaGuard, kOfficialRouter, kQwenGuard, kWideRouter } from '../lib/fixture-pairs.js';
import { labelledTable } from '../lib/train/labelled-tables.js';
import { runCommand } from './command.js';

const kWidth = 64;
const kRows = 80;
const kGuards = ['--small', kQwenGuard, '--large', kLlamaGuard];

function place(test: TestContext): (name: string) => string {
  const folder = scratchFolder(test);
  return (name) => join(folder, name);
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Rows with labels that guards could have erred on, unless `label` says otherwise. */
async function features(path: string, change: { label?: number; feature?: number } = {}): Promise<string> {
  const values = Float32Array.from({ length: kRows * kWidth }, (_, at) => Math.sin(at));
  if (change.feature !== undefined) values[7 * kWidth + 3] = change.feature;
  const table = labelledTable(kRows, kWidth, { features: values });
  if (change.label !== undefined) table.label.fill(change.label);
  await writeFeatures(path, table);
  return path;
}

async function refused(args: string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await runCommand(...args);
  assert.deepEqual([code, stdout], [1, ''], stderr);
  assert.match(stderr, message);
}

describe('labelled rows', () => {
  for (const [what, rows, message] of [
    [
      'without a label',
      [{ prompt: 'a', label: 0 }, { prompt: 'b' }, { prompt: 'c', label: null }],
      /^saferoute: ERR_DATA: 2 problems in the data:\n.*rows\.jsonl:2: label is missing\n.*rows\.jsonl:3: label is missing\n$/,
    ],
    [
      'with one id twice',
      [
        { id: 'x', prompt: 'a', label: 0 },
        { id: 'x', prompt: 'b', label: 1 },
      ],
      /^saferoute: ERR_DATA: .*rows\.jsonl:2: id "x" stands already at .*rows\.jsonl:1\n$/,
    ],
  ] as const) {
    it(`${what} are refused by label and evaluate, before a guard is loaded`, async (test) => {
      const at = place(test);
      writeFile(at('rows.jsonl'), lines(rows));
      await refused(['label', ...kGuards, at('rows.jsonl'), '-o', at('f.safetensors')], message);
      await refused(['evaluate', ...kGuards, at('rows.jsonl'), '-o', at('e.json')], message);
      for (const name of ['f.safetensors', 'f.safetensors.journal', 'e.json']) assert.ok(!existsSync(at(name)), name);
    });
  }

  it('of 10 MB are left out, and listed with the limit', async (test) => {
    const at = place(test);
    const rows = [
      { id: 'short', prompt: 'Hello', label: 0 },
      { id: 'long', prompt: 'x'.repeat(10 << 20), label: 1 },
      { id: 'over', prompt: 'x'.repeat(2 << 20), label: 1 },
      { id: 'other', prompt: 'Hello again', label: 1 },
    ];
    writeFile(at('rows.jsonl'), lines(rows));
    const { code, stdout } = await runCommand('label', ...kGuards, at('rows.jsonl'), '-o', at('f.safetensors'));
    assert.equal(code, 3);
    assert.match(stdout, /rows +2, of them 1 unsafe[\s\S]*failed +2 rows, listed in .*f\.safetensors\.failed\.jsonl/);
    const failed = readFileSync(at('f.safetensors.failed.jsonl'), 'utf8').trimEnd().split('\n');
    assert.deepEqual(
      failed.map((line) => JSON.parse(line)).map(({ id, code, message }) => [id, code, /\d+$/.exec(message)?.[0]]),
      [
        // Of a line that is too long to be held, the id is not known.
        [`${at('rows.jsonl')}:2`, 'ERR_INPUT_TOO_LARGE', String(8 << 20)],
        ['over', 'ERR_INPUT_TOO_LARGE', String(1 << 20)],
      ],
    );
  });

  it('of one class can be labelled, with a warning, and judged, but not learnt from', async (test) => {
    const at = place(test);
    writeFile(
      at('rows.jsonl'),
      lines([
        { prompt: 'a', label: 0 },
        { prompt: 'b', label: 0 },
      ]),
    );
    const labelled = await runCommand('label', ...kGuards, at('rows.jsonl'), '-o', at('f.safetensors'));
    assert.equal(labelled.code, 0, labelled.stderr);
    assert.match(labelled.stdout, /warning +all 2 rows are safe: half of what can go wrong is not in them/);
    const nothing = /^saferoute: ERR_DATA: .*f\.safetensors: none of its 2 rows is hard, .*: nothing to learn\n$/;
    await refused(['train', at('f.safetensors'), '-o', at('r.safetensors')], nothing);
    const judged = await runCommand('evaluate', ...kGuards, at('rows.jsonl'), '--latency', '1');
    assert.equal(judged.code, 0, judged.stderr);
    assert.match(judged.stdout, /Left out of the means, since they hold one class only: rows\./);
  });
});

describe('features', () => {
  it('of one class calibrate nothing', async (test) => {
    const at = place(test);
    const path = await features(at('f.safetensors'), { label: 1 });
    const message = /^saferoute: ERR_DATA: .*f\.safetensors.*safe/;
    await refused(['calibrate', path, '--router', kWideRouter, '--target', 'f1', '--pair', at('pair')], message);
    assert.ok(!existsSync(at('pair')));
  });

  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`with ${value} are refused by all that reads them, naming file and row`, async (test) => {
      const at = place(test);
      const path = await features(at('f.safetensors'), { feature: value });
      const message = /^saferoute: ERR_NOT_FINITE: .*f\.safetensors: .*row 7 .*\n$/;
      await refused(['train', path, '-o', at('r.safetensors')], message);
      await refused(['calibrate', path, '--router', kWideRouter, '--target', 'f1'], message);
      const pair = [...['--small', at('gone'), '--large', at('gone')], '--router', kWideRouter];
      await refused(['evaluate', ...pair, '--no-latency', path], message);
    });
  }

  it('of another width than the router reads are refused, naming both', async (test) => {
    const at = place(test);
    const path = await features(at('f.safetensors'));
    const message = /^saferoute: ERR_CHECKPOINT: .*official-48\.safetensors: the router reads 48 values, .*64/;
    await refused(['calibrate', path, '--router', kOfficialRouter, '--target', 'f1'], message);
    writeFile(
      at('rows.jsonl'),
      lines([
        { prompt: 'a', label: 0 },
        { prompt: 'b', label: 1 },
      ]),
    );
    await refused(['evaluate', ...kGuards, '--router', kOfficialRouter, at('rows.jsonl')], message);
    await refused(['check', ...kGuards, '--router', kOfficialRouter, at('rows.jsonl')], message);
  });

  it('are features: labelled rows in their place are called what they are not', async (test) => {
    const at = place(test);
    writeFile(at('rows.jsonl'), lines([{ prompt: 'a', label: 0 }]));
    const message = /^saferoute: ERR_CHECKPOINT: .*rows\.jsonl: is no safetensors file/;
    await refused(['train', at('rows.jsonl'), '-o', at('r.safetensors')], message);
  });
});
