// transformers with PyTorch on the CPU, the way the paper's code reads a guard, in a Python process of its own.
// Takes part where SAFEROUTE_REFERENCE_PYTHON, or else python3, has both packages.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Unavailable } from '../unavailable.js';
import { checkpointDirectory } from '../weights/checkpoint.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup } from './contender.js';

const kBatchRows = 16; // the default of the paper's evaluation script
const kVerdictIds = [19_193, 39_257];

export async function openTransformers(setup: Setup): Promise<Contender> {
  const python = process.env.SAFEROUTE_REFERENCE_PYTHON || 'python3';
  if (spawnSync(python, ['-c', 'import torch, transformers'], { stdio: 'ignore' }).status !== 0) {
    throw new Unavailable(`${python} has no transformers and torch (SAFEROUTE_REFERENCE_PYTHON names another Python)`);
  }
  const child = spawn(python, [join(import.meta.dirname, 'transformers_guard.py')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const ask = conversation(child);
  const facts = await ask<Contender['facts']>({
    directory: checkpointDirectory(kShapes[setup.guard as ShapeName]),
    dtype: setup.weights === 'bf16' ? 'bfloat16' : 'float32',
    threads: setup.threads,
    batch: kBatchRows,
    verdict_ids: kVerdictIds,
  });
  return {
    facts: { ...facts, dtype: setup.weights },
    run: (work) =>
      work.kind === 'read' ? ask<Sample>(work.prompts.map((ids) => [...ids])) : refuse('transformers', work),
    close: async () => {
      child.stdin?.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** Sends a JSON line and resolves with the JSON line that comes back; rejects with what Python wrote to stderr if it ends instead. */
function conversation(child: ChildProcess): <T>(message: unknown) => Promise<T> {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return async <T>(message: unknown) => {
    child.stdin?.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`transformers ended: ${complaint}`);
    return JSON.parse(value) as T;
  };
}
