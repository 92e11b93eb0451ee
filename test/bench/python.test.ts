// The Python contenders, on the CPU: what they answer, for guards of a size that tests can afford.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Sample } from '../../bench/contenders/contender.js';
import { type PythonProcess, startPython } from '../../bench/contenders/python-process.js';
import { checkpointDirectory } from '../../bench/weights/checkpoint.js';
import type { GuardShape } from '../../bench/weights/shapes.js';

const kShape: GuardShape = {
  name: 'python-tiny',
  architecture: 'llama',
  layers: 2,
  hiddenSize: 64,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediateSize: 96,
  vocabSize: 24_000,
  tiedHead: false,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: null,
};
const kPython = process.env.SAFEROUTE_REFERENCE_PYTHON;
const kSkip = kPython === undefined ? 'SAFEROUTE_REFERENCE_PYTHON names no Python with transformers' : false;

/** Runs `work` with the script's process, which is asked `setup` first. */
async function withPython(
  script: string,
  setup: object,
  work: (python: PythonProcess) => Promise<void>,
): Promise<void> {
  const python = startPython(script, ['torch'], 'cpu');
  try {
    await python.ask(setup);
    await work(python);
  } finally {
    await python.close();
  }
}

describe('Python contenders', { skip: kSkip }, () => {
  it('read prompts of any lengths by a guard, and by a pair all of whose rows are hard', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'saferoute-python-'));
    process.env.SAFEROUTE_BENCH_CACHE = cache;
    try {
      const directory = checkpointDirectory(kShape);
      const setup = { directory, dtype: 'bfloat16', device: 'cpu', threads: 1, batch: 2, verdict_ids: [5, 6] };
      const prompts = [[1, 2, 3], [4], [5, 6], [7, 8, 9, 10], [11]];
      for (const large of [null, { directory, rate: 1 }]) {
        await withPython('transformers_guard.py', { ...setup, large }, async (python) => {
          const { ms, each } = await python.ask<Sample>({ prompts });
          assert.equal(each.length, prompts.length);
          assert.deepEqual(
            [...each].sort((a, b) => a - b),
            each,
            'batches are done one after the other',
          );
          assert.ok(ms >= (each.at(-1) as number) && (each[0] as number) > 0);
        });
      }
    } finally {
      delete process.env.SAFEROUTE_BENCH_CACHE;
      rmSync(cache, { recursive: true });
    }
  });

  it('multiply the matrices of layers, and route features', async () => {
    const setup = {
      device: 'cpu',
      dtype: 'bfloat16',
      layers: 2,
      gemms: [
        [64, 96],
        [96, 64],
      ],
      router: 64,
    };
    await withPython('torch_parts.py', setup, async (python) => {
      const products = await python.ask<Sample>({ tokens: 8 });
      assert.ok(products.each.length === 1 && products.ms > 0);
      const features = Array.from({ length: 3 }, () => Array.from({ length: 64 }, (_, at) => at / 64));
      assert.equal((await python.ask<Sample>({ features })).each.length, 3);
    });
  });

  it('tell what they died of', async () => {
    const setup = { device: 'cpu', dtype: 'bfloat16', layers: 1, gemms: [], router: 64 };
    await withPython('torch_parts.py', setup, async (python) => {
      const narrow = python.ask({ features: [[1, 2]] });
      await assert.rejects(narrow, /torch_parts\.py ended: [\s\S]*shapes cannot be multiplied/);
    });
  });

  it('are unavailable on a GPU that is not there', (context) => {
    const { stdout } = spawnSync(kPython as string, ['-c', 'import torch; print(torch.cuda.is_available())'], {
      encoding: 'utf8',
    });
    if (stdout.trim() === 'True') return context.skip('there is a GPU');
    assert.throws(() => startPython('torch_parts.py', ['torch'], 'cuda'), {
      name: 'Unavailable',
      message: /the PyTorch of .* finds no GPU/,
    });
  });
});
