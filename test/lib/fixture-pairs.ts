/** Pairs made of the small checkpoints in test/fixtures, behind an addon without native code. */

import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { PairOptions } from '../../lib/options.js';
import { openPair, type SafeRoute } from '../../lib/saferoute.js';
import { FakeAddon, type FakeBehaviour, type FakeEngine } from './fake-addon.js';

const kFixtures = join(__dirname, '..', 'fixtures');

export const kLlamaGuard = join(kFixtures, 'checkpoints', 'llama-untied-f32'); // hidden size 48, context 512
export const kLlamaGuard8b = join(kFixtures, 'checkpoints', 'llama-tied-f16');
export const kDynaGuard = join(kFixtures, 'checkpoints', 'qwen3-tied-bf16'); // hidden size 64
export const kQwenGuard = join(kFixtures, 'checkpoints', 'qwen3-untied-bf16-sharded'); // context 512
export const kOfficialRouter = join(kFixtures, 'routers', 'official-48.safetensors');
export const kCardRouter = join(kFixtures, 'routers', 'card-48.safetensors');
export const kWideRouter = join(kFixtures, 'routers', 'official-64.safetensors');

export const kPair: PairOptions = { small: kLlamaGuard, large: kQwenGuard, router: kOfficialRouter };

/** Hard where the prompt is long: the rule that the tests escalate by. */
export const kLongIsHard: FakeBehaviour = { hardness: (ids) => (ids.length > 200 ? 0.9 : 0.1) };
export const kEasy = 'Hi.';
export const kHard = 'This one is long enough to be hard. '.repeat(3);

export interface FakePair {
  saferoute: SafeRoute;
  addon: FakeAddon;
  engine: FakeEngine;
}

/** A loaded pair that is closed when the test ends. */
export async function fakePair(
  context: TestContext,
  behaviour: FakeBehaviour = {},
  options: PairOptions = kPair,
): Promise<FakePair> {
  const addon = new FakeAddon(behaviour);
  const saferoute = await openPair(options, undefined, () => addon);
  addon.engine.loaded = true;
  context.after(() => saferoute.close());
  return { saferoute, addon, engine: addon.engine };
}

/** Lets everything happen that waits for nothing but its turn, until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
