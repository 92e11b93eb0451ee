// Which loads share a vocabulary, and for how long one that nobody uses stays.
import assert from 'node:assert/strict';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Vocabularies } from '../../lib/vocabularies.js';
import { scratchFolder } from './checkpoint/scratch.js';
import { coded } from './rejected.js';

const kModels = join(__dirname, '../../models/tiny');
const kSmall = join(kModels, 'small/tokenizer.json');
const kLarge = join(kModels, 'large/tokenizer.json');
const kLongEnough = 10_000; // ms

function opened(test: TestContext) {
  test.mock.timers.enable({ apis: ['setTimeout'] });
  let dropped = 0;
  const vocabularies = new Vocabularies(() => dropped++);
  return { vocabularies, pass: (ms: number) => test.mock.timers.tick(ms), dropped: () => dropped };
}

describe('vocabularies', () => {
  it('are shared by files with the same content, and by nobody else', async (test) => {
    const { vocabularies } = opened(test);
    const copy = join(scratchFolder(test), 'tokenizer.json');
    await copyFile(kSmall, copy);
    const first = await vocabularies.take(1, kSmall);
    assert.equal((await vocabularies.take(2, copy)).tokenizer, first.tokenizer);
    const other = await vocabularies.take(1, kLarge);
    assert.notEqual(other.tokenizer, first.tokenizer);
    assert.notEqual(other.sha256, first.sha256);
  });

  it('are made once for loads that come at the same time', async (test) => {
    const { vocabularies } = opened(test);
    const [first, second] = await Promise.all([vocabularies.take(1, kSmall), vocabularies.take(2, kSmall)]);
    assert.equal(first.tokenizer, second.tokenizer);
  });

  it('stay for a load that comes soon after the last one left', async (test) => {
    const { vocabularies, pass, dropped } = opened(test);
    const before = await vocabularies.take(1, kSmall);
    vocabularies.release(1);
    pass(kLongEnough - 1);
    const after = await vocabularies.take(2, kSmall);
    pass(10 * kLongEnough);
    assert.equal(after.tokenizer, before.tokenizer);
    assert.equal((await vocabularies.take(3, kSmall)).tokenizer, before.tokenizer);
    assert.equal(dropped(), 0);
  });

  it('go when nobody wanted them for a while', async (test) => {
    const { vocabularies, pass, dropped } = opened(test);
    const before = await vocabularies.take(1, kSmall);
    await vocabularies.take(2, kSmall);
    vocabularies.release(1);
    pass(kLongEnough);
    assert.equal(dropped(), 0, 'another load still used it');
    vocabularies.release(2);
    pass(kLongEnough);
    assert.equal(dropped(), 1);
    assert.notEqual((await vocabularies.take(3, kSmall)).tokenizer, before.tokenizer);
  });

  it('are read anew from a file that has changed', async (test) => {
    const { vocabularies } = opened(test);
    const file = join(scratchFolder(test), 'tokenizer.json');
    await copyFile(kSmall, file);
    const before = await vocabularies.take(1, file);
    await copyFile(kLarge, file);
    const after = await vocabularies.take(2, file);
    assert.notEqual(after.sha256, before.sha256);
    assert.notEqual(after.tokenizer, before.tokenizer);
  });

  it('that could not be made are not kept', async (test) => {
    const { vocabularies } = opened(test);
    const file = join(scratchFolder(test), 'tokenizer.json');
    await writeFile(file, '{}');
    await assert.rejects(vocabularies.take(1, file), coded('ERR_CHECKPOINT'));
    await copyFile(kSmall, file);
    const { tokenizer } = await vocabularies.take(1, file);
    assert.ok((await tokenizer.encodePlain('hello')).length > 0);
  });

  it('that are not there are refused by name', async (test) => {
    const { vocabularies } = opened(test);
    await assert.rejects(vocabularies.take(1, '/no/tokenizer.json'), coded('ERR_CHECKPOINT', '/no/tokenizer.json'));
  });
});
