// What a router file of ours says of itself, and what is refused of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kRouterFormat, kUnnoted, readRouterNotes } from '../../../lib/checkpoint/router-notes.js';
import { coded } from '../rejected.js';

const kWhole = { format: kRouterFormat, recipe: 'benefit', threshold: '0.5' };
const kSplit = { digest: 'd1', seed: 7, validShare: 0.1 };

const read = (metadata: Record<string, string>) => readRouterNotes('r.safetensors', new Map(Object.entries(metadata)));

describe('notes of a router file', () => {
  it('are nothing in the files of others', () => {
    assert.deepEqual(read({}), kUnnoted);
    assert.deepEqual(read({ format: 'pt', recipe: 'stew', threshold: 'hot', split: 'banana' }), kUnnoted);
  });

  it('say how it was trained, cut and split', () => {
    assert.deepEqual(read(kWhole), { recipe: 'benefit', threshold: 0.5, split: null });
    assert.deepEqual(read({ ...kWhole, split: JSON.stringify(kSplit) }).split, kSplit);
  });

  it('of a later version are refused', () => {
    const refused = (metadata: Record<string, string>, ...named: string[]) =>
      assert.throws(() => read(metadata), coded('ERR_UNSUPPORTED', 'r.safetensors', ...named));
    refused({ ...kWhole, format: 'saferoute-router/2' }, 'saferoute-router/2', kRouterFormat);
    refused({ ...kWhole, recipe: 'stew' }, 'stew', 'official');
    refused({ format: kRouterFormat, threshold: '0.5' }, 'nothing');
  });

  it('that contradict themselves are refused', () => {
    const refused = (metadata: Record<string, string>, ...named: string[]) =>
      assert.throws(() => read({ ...kWhole, ...metadata }), coded('ERR_CHECKPOINT', 'r.safetensors', ...named));
    for (const threshold of ['', ' ', 'NaN', '-0.1', '1.1', 'high']) refused({ threshold }, 'threshold');
    const splits = ['', 'null', '[]', '{', '{}', '{"digest":1,"seed":7,"validShare":0.1}'];
    for (const split of splits) refused({ split }, 'split', 'digest');
    for (const wrong of [
      { seed: 0.5 },
      { validShare: 1 },
      { validShare: -1 },
      { validShare: '0.1' },
      { digest: null },
    ]) {
      refused({ split: JSON.stringify({ ...kSplit, ...wrong }) }, 'split', 'validShare');
    }
  });
});
