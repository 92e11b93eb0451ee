// Trainings that end before they are done: killed, stopped, or taken down with their process or thread.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { readSafetensors } from '../../lib/checkpoint/safetensors.js';
import { writeFeatures } from '../../lib/train/features-writer.js';
import { scratchFolder } from '../lib/checkpoint/scratch.js';
import { learnableTable } from '../lib/train/learnable-table.js';
import { type Ended, outputOf, runChild } from './run-child.js';

const kMain = resolve(__dirname, '../../dist/cli/main.js');
const kEpochs = '60';
/** Nobody waits for the last. */
const kEndless = '1000000';

interface Place {
  features: string;
  output(name: string): string;
}

async function placeFor(test: TestContext): Promise<Place> {
  const folder = scratchFolder(test);
  const features = join(folder, 'features.safetensors');
  await writeFeatures(features, learnableTable(300));
  return { features, output: (name) => join(folder, `${name}.safetensors`) };
}

/** The tensors of a router, without what its header says of when it was made. */
async function weights(path: string): Promise<Buffer> {
  const { tensors } = await readSafetensors(path);
  return readFileSync(path).subarray(Math.min(...[...tensors.values()].map(({ offset }) => offset)));
}

describe('a training', () => {
  it('gives the same router killed and taken up again as uninterrupted', async (test) => {
    const { features, output } = await placeFor(test);
    assert.equal(await outputOf('train', ['to the end', features, output('whole'), kEpochs]), 'from the beginning');

    const parts = [features, output('parts'), kEpochs];
    for (const stateIsThere of [false, true]) {
      if (stateIsThere) assert.equal(await outputOf('train', ['stop after an epoch', ...parts]), 'ERR_ABORTED');
      const { signal, stderr } = await runChild('train', ['be killed after an epoch', ...parts]);
      assert.deepEqual([signal, stderr], ['SIGKILL', '']);
      assert.equal(existsSync(`${output('parts')}.state`), stateIsThere);
      assert.ok(!existsSync(output('parts')));
    }
    assert.equal(await outputOf('train', ['to the end', ...parts]), 'resumed');
    assert.ok(!existsSync(`${output('parts')}.state`));
    assert.deepEqual(await weights(output('parts')), await weights(output('whole')));
  });

  for (const how of ['exit while training', 'exit while a training begins', 'exit beside workers that train']) {
    it(`lets its process ${how}`, async (test) => {
      const { features, output } = await placeFor(test);
      assert.deepEqual(await runChild('train', [how, features, output('none'), kEndless]), exited(7));
    });
  }

  it('lets a process exit that reads features with a router', async (test) => {
    const { features, output } = await placeFor(test);
    await outputOf('train', ['to the end', features, output('router'), '1']);
    assert.deepEqual(await runChild('train', ['exit while routing', features, output('router'), '1']), exited(7));
  });

  for (const [how, code] of [
    ['terminate a worker that trains', '1'],
    ['let a worker that trains exit', '7'],
  ] as const) {
    it(`ends with its thread: ${how}`, async (test) => {
      const { features, output } = await placeFor(test);
      assert.equal(await outputOf('train', [how, features, output('none'), kEndless]), code);
    });
  }
});

describe('saferoute train', () => {
  const start = (args: string[]) => spawn(process.execPath, [kMain, 'train', ...args]);
  const ended = async (child: ReturnType<typeof start>) => {
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { stdout, stderr, code };
  };

  it('says at the end what it came to', async (test) => {
    const { features, output } = await placeFor(test);
    const args = [features, '-o', output('router'), '--epochs', '3', '--recipe', 'benefit', '--valid-share', '0.2'];
    const { stdout, stderr, code } = await ended(start(args));
    assert.deepEqual([code, stderr], [0, '']);
    for (const line of [
      /recipe +benefit/,
      /rows +300, .* % hard, 240 learnt/,
      /epochs +3/,
      /AUPRC 0\.\d{3}/,
      /above 0\.5: F1/,
    ]) {
      assert.match(stdout, line);
    }
  });

  it('keeps its state when it is interrupted, and says where', async (test) => {
    const { features, output } = await placeFor(test);
    const child = start([features, '-o', output('router'), '--epochs', kEndless]);
    const state = `${output('router')}.state`;
    for await (const { filename } of watch(dirname(state))) if (filename === basename(state)) break;
    child.kill('SIGINT');
    const { stderr, code } = await ended(child);
    assert.equal(code, 130);
    assert.ok(stderr.includes(`What is done is in ${state}; the same command goes on from there.`), stderr);
    assert.ok(existsSync(state) && !existsSync(output('router')));
  });

  it('fails with one line that names file and reason', async (test) => {
    const { output } = await placeFor(test);
    const { stdout, stderr, code } = await ended(start(['none.safetensors', '-o', output('router')]));
    assert.deepEqual([stdout, code], ['', 1]);
    assert.match(stderr, /^saferoute: ERR_CHECKPOINT: .*none\.safetensors.*\n$/);
  });
});

function exited(code: number): Ended {
  return { code, signal: null, stdout: '', stderr: '' };
}
