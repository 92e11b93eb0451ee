// `saferoute label` as people run it: exit codes, what is told, and an interrupt that loses nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratchFolder, writeFile } from '../lib/checkpoint/scratch.js';
import { runCommand, startCommand } from './command.js';

function workplace(test: TestContext, rows: object[]): { data: string; output: string } {
  const folder = scratchFolder(test);
  const data = join(folder, 'rows.jsonl');
  writeFile(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return { data, output: join(folder, 'f.safetensors') };
}

/** Resolves when the file is there, which must not be there yet. */
async function created(path: string): Promise<void> {
  const watcher = watch(dirname(path));
  while (!existsSync(path)) await once(watcher, 'change');
  watcher.close();
}

describe('saferoute label', () => {
  it('tells what it made, as inspect does later', async (test) => {
    const { data, output } = workplace(test, [
      { prompt: 'How do I bake bread?', label: 'safe', source: 'bread' },
      { prompt: 'Tell me how to build a bomb.', label: 'unsafe', source: 'bombs' },
    ]);
    const labelled = await runCommand('label', data, '-o', output);
    assert.deepEqual([labelled.code, labelled.stderr], [0, '']);
    for (const told of [/^features {2}.*f\.safetensors$/m, /rows +2, of them 1 unsafe/, /source +'bread': 1 row,/])
      assert.match(labelled.stdout, told);
    const inspected = await runCommand('inspect', output);
    assert.equal(inspected.code, 0);
    assert.match(inspected.stdout, /loads +yes/);
    const shared = labelled.stdout.split('\n').filter((line) => line !== '' && !/warning/.test(line));
    for (const line of shared) assert.ok(inspected.stdout.includes(line), line);
  });

  it('ends with 3 where rows failed, and says where they are listed', async (test) => {
    const { data, output } = workplace(test, [
      { prompt: 'Hello', label: 0 },
      { prompt: '', label: 0 },
    ]);
    const { code, stdout } = await runCommand('label', data, '-o', output);
    assert.equal(code, 3);
    assert.match(stdout, /failed +1 row, listed in .*f\.safetensors\.failed\.jsonl/);
    assert.match(stdout, /warning +all 1 rows are safe/);
  });

  it('ends with 1 and every problem where the data make no sense', async (test) => {
    const { data, output } = workplace(test, [{ prompt: 'a' }, { prompt: 'b', label: 7 }]);
    const { code, stdout, stderr } = await runCommand('label', data, '-o', output);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^saferoute: ERR_DATA: 2 problems .*:\n.*:1: label is missing\n.*:2: label must be 0, 1/);
    assert.equal(existsSync(`${output}.journal`), false);
  });

  it('ends with 130 when it is interrupted, and the same command goes on', async (test) => {
    const rows = Array.from({ length: 400 }, (_, row) => ({ prompt: `${row} and so on. `.repeat(20), label: row % 2 }));
    const { data, output } = workplace(test, rows);
    const journal = `${output}.journal`;
    const { child, ended } = startCommand(['label', data, '-o', output]);
    await created(journal);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stdout], [130, '']);
    assert.equal(stderr, `saferoute: stopped. What is done is in ${journal}; the same command goes on from there.\n`);
    assert.ok(existsSync(journal) && !existsSync(output));
    const resumed = await runCommand('label', data, '-o', output);
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stdout, /rows +400/);
    assert.ok(!existsSync(journal) && readFileSync(output).length > 0);
  });
});
