// A trial's process and what is said to it. The control needs no guard and no package.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Setup } from '../../bench/contenders/contender.js';
import { Trial } from '../../bench/trial/trial.js';
import { Unavailable } from '../../bench/unavailable.js';

const kControl: Setup = {
  engine: 'control',
  device: 'cpu',
  guard: null,
  weights: 'none',
  inFlight: 1,
  promptTokens: 1,
  threads: 1,
  pair: null,
};

test('a trial opens a contender, takes samples of it, and ends', async () => {
  const trial = new Trial();
  try {
    assert.equal((await trial.open(kControl)).at, 0);
    assert.equal((await trial.open(kControl)).at, 1);
    const { ms, each } = await trial.run({ kind: 'tick', ms: 50, prompts: [] }, 1);
    assert.ok(ms >= 50);
    assert.ok(each.length > 0 && each.every((late) => late >= 0));
    assert.equal((await trial.run({ kind: 'spin', ms: 1 })).each.length, 1);
    await trial.close();
  } finally {
    await trial.kill();
  }
});

test('work that a contender does not know, and a contender that was not opened, are errors', async () => {
  const trial = new Trial();
  try {
    await trial.open(kControl);
    await assert.rejects(trial.run({ kind: 'route', features: [] }), /'route'/);
    await assert.rejects(trial.run({ kind: 'spin', ms: 1 }, 7), /7/);
  } finally {
    await trial.kill();
  }
});

test('a contender whose packages are missing is unavailable, which is no failure', async () => {
  const before = process.env.SAFEROUTE_REFERENCE_PYTHON;
  process.env.SAFEROUTE_REFERENCE_PYTHON = '/nowhere/python';
  const trial = new Trial();
  try {
    const setup: Setup = { ...kControl, engine: 'transformers', guard: 'llama-guard-3-1b', weights: 'bf16' };
    await assert.rejects(trial.open(setup), (error: Error) => {
      assert.ok(error instanceof Unavailable);
      assert.match(error.message, /\/nowhere\/python/);
      return true;
    });
  } finally {
    await trial.kill();
    if (before === undefined) delete process.env.SAFEROUTE_REFERENCE_PYTHON;
    else process.env.SAFEROUTE_REFERENCE_PYTHON = before;
  }
});

test('a process that dies rejects what it was asked', async () => {
  const trial = new Trial();
  await trial.open(kControl);
  const sample = trial.run({ kind: 'tick', ms: 60_000, prompts: [] });
  await Promise.all([assert.rejects(sample, /SIGKILL/), trial.kill()]);
});
