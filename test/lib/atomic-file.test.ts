import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeAtomically } from '../../lib/atomic-file.js';
import { scratchFile, scratchFolder } from './checkpoint/scratch.js';

describe('writeAtomically', () => {
  it('shows the old file until the new one is whole', async (test) => {
    const path = scratchFile(test, 'a', 'old');
    await writeAtomically(path, async (write) => {
      await write(Buffer.from('new '));
      assert.equal(readFileSync(path, 'utf8'), 'old');
      await write(Buffer.from('text'));
    });
    assert.equal(readFileSync(path, 'utf8'), 'new text');
    assert.equal(existsSync(`${path}.part`), false);
  });

  it('leaves the old file and nothing else where the writing fails', async (test) => {
    const path = scratchFile(test, 'a', 'old');
    const failing = writeAtomically(path, async (write) => {
      await write(Buffer.from('half'));
      throw new Error('no more');
    });
    await assert.rejects(failing, /no more/);
    assert.deepEqual([readFileSync(path, 'utf8'), existsSync(`${path}.part`)], ['old', false]);
  });

  it('takes no byte of what a killed process left', async (test) => {
    const path = join(scratchFolder(test), 'a');
    writeFileSync(`${path}.part`, 'left behind, and longer');
    await writeAtomically(path, (write) => write(Buffer.from('new')));
    assert.equal(readFileSync(path, 'utf8'), 'new');
  });
});
