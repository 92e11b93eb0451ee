// A Python process of this folder that is asked in JSON lines: what PyTorch and transformers are measured with.
// Python is SAFEROUTE_REFERENCE_PYTHON, or else python3.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Device } from '../device.js';
import { Unavailable } from '../unavailable.js';

export interface PythonProcess {
  /** Sends a line and resolves with the one that comes back; rejects with what Python wrote to stderr if it ends instead. */
  ask<T>(message: unknown): Promise<T>;
  close(): Promise<void>;
}

/** Runs `script`. Throws Unavailable where Python lacks one of `modules`, or, for 'cuda', its PyTorch has no GPU. */
export function startPython(script: string, modules: readonly string[], device: Device): PythonProcess {
  const python = process.env.SAFEROUTE_REFERENCE_PYTHON || 'python3';
  requireModules(python, modules);
  if (device === 'cuda') requireCuda(python);
  const child = spawn(python, [join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'pipe'] });
  return {
    ask: conversation(child, script),
    close: async () => {
      child.stdin?.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** Looked up rather than imported, which takes seconds. */
function requireModules(python: string, modules: readonly string[]): void {
  const names = modules.map((name) => `'${name}'`).join(', ');
  if (runs(python, `import importlib.util, sys; sys.exit(None in map(importlib.util.find_spec, [${names}]))`)) return;
  const wanted = modules.join(' and ');
  throw new Unavailable(`${python} has no ${wanted} (SAFEROUTE_REFERENCE_PYTHON names another Python)`);
}

function requireCuda(python: string): void {
  if (!runs(python, 'import torch; assert torch.cuda.is_available()')) {
    throw new Unavailable(`the PyTorch of ${python} finds no GPU (SAFEROUTE_REFERENCE_PYTHON names another Python)`);
  }
}

function runs(python: string, code: string): boolean {
  return spawnSync(python, ['-c', code], { stdio: 'ignore' }).status === 0;
}

function conversation(child: ChildProcess, script: string): PythonProcess['ask'] {
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  child.stdin?.on('error', () => {}); // a process that has ended is told of by its output's end
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return async <T>(message: unknown) => {
    child.stdin?.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${script} ended: ${complaint}`);
    return JSON.parse(value) as T;
  };
}
