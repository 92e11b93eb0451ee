// Load and close leave nothing behind: a hundred rounds may grow the process by five per cent after the tenth.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { outputOf } from './run-child.js';

const kGrowth = 1.05;

/**
 * glibc keeps some freed memory at the end of each thread's heap, of Node's own threads too, and keeps more once a large block was freed.
 * Held at its beginnings, so that what is measured is what we leave.
 */
const kSteadyHeap = { GLIBC_TUNABLES: 'glibc.malloc.trim_threshold=131072' };

async function expectSteady(test: TestContext, what: string, env: Record<string, string>) {
  const { 10: tenth, 100: last } = JSON.parse(await outputOf('rounds', [what], [], env));
  test.diagnostic(`resident after 10 rounds: ${tenth} bytes, after 100: ${last}`);
  assert.ok(last <= tenth * kGrowth, `${tenth} bytes became ${last}`);
}

describe('a hundred rounds of load, work and close', () => {
  it('leave nothing of a native engine', (test) => expectSteady(test, 'engines', {}));

  it('leave nothing of a pair', (test) => expectSteady(test, 'pairs', kSteadyHeap));
});
