// Ctrl-C during a command: what it ends, what is said, and which exit code comes of it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { untilInterrupted, whatIsKept } from '../../../lib/cli/until-interrupted.js';
import { AbortError } from '../../../lib/errors.js';
import { scratchFolder, writeFile } from '../checkpoint/scratch.js';

/** Rejects as the library does once the signal is aborted. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new AbortError(signal.reason)));
  });
}

function stderrOf(context: TestContext): string[] {
  const said: string[] = [];
  context.mock.method(process.stderr, 'write', (text: string) => said.push(text) > 0);
  return said;
}

describe('a command that is interrupted', () => {
  it('ends with 130, after its announcement and what is left of the work', async (context) => {
    const said = stderrOf(context);
    const code = untilInterrupted(untilAborted, { announcement: 'ends soon', stopped: () => 'All is well.' });
    process.emit('SIGINT');
    assert.equal(await code, 130);
    assert.deepEqual(said, ['\nsaferoute: ends soon\n', 'saferoute: stopped. All is well.\n']);
  });

  it('leaves the second Ctrl-C to the system', async () => {
    const before = process.listenerCount('SIGINT');
    const code = untilInterrupted(untilAborted);
    assert.equal(process.listenerCount('SIGINT'), before + 1);
    process.emit('SIGINT');
    assert.equal(process.listenerCount('SIGINT'), before);
    await code;
  });

  it('keeps its own exit code where the work was done by then, and its own error where it failed', async () => {
    const done = untilInterrupted(async (signal) => {
      process.emit('SIGINT');
      return signal.aborted ? 3 : 0;
    });
    assert.equal(await done, 3);
    const failed = untilInterrupted(async () => {
      process.emit('SIGINT');
      throw new Error('the disk is full');
    });
    await assert.rejects(failed, /the disk is full/);
  });

  it('stops listening when the work has ended', async () => {
    const before = process.listenerCount('SIGINT');
    assert.equal(await untilInterrupted(async () => 0), 0);
    await assert.rejects(untilInterrupted(async () => Promise.reject(new AbortError('of somebody else'))));
    assert.equal(process.listenerCount('SIGINT'), before);
  });
});

describe('what an interrupted command says', () => {
  it('is where its work lies, and nothing of a file that is not there', (context) => {
    const journal = join(scratchFolder(context), 'features.journal');
    assert.equal(whatIsKept(journal), 'Nothing had been done yet.');
    writeFile(journal, 'records');
    assert.equal(whatIsKept(journal), `What is done is in ${journal}; the same command goes on from there.`);
  });
});
