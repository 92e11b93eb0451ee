/** The GPU of a test that needs one: where there is none the test is skipped, and fails where SAFEROUTE_REQUIRE_GPU=1 asks for one. */

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { loadAddon } from '../../lib/native.js';
import type { NativeCudaFacts } from '../../lib/native-cuda.js';

/** null where the test has been skipped. */
export async function gpuFor(context: TestContext): Promise<NativeCudaFacts | null> {
  const { facts, problem } = await loadAddon().cudaDevice();
  if (facts !== null) return facts;
  const reason = `no guard can run on a GPU here: ${problem}`;
  if (process.env.SAFEROUTE_REQUIRE_GPU === '1') assert.fail(reason);
  context.skip(reason);
  return null;
}

/** Bytes of its memory that nobody holds now. */
export async function freeGpuBytes(): Promise<number> {
  const { facts, problem } = await loadAddon().cudaDevice();
  return facts?.freeBytes ?? assert.fail(`the GPU is gone: ${problem}`);
}
