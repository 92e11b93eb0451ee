// Where there is no binary for a platform, or one that does not run there, the error says so.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadAddon } from '../../lib/native.js';
import { scratchFolder } from './checkpoint/scratch.js';
import { coded } from './rejected.js';

const kPlatform = `${process.platform}-${process.arch}`;

describe('loadAddon', () => {
  it('says that a platform has no binary, and which have', (context) => {
    const root = scratchFolder(context);
    assert.throws(() => loadAddon(root), coded('ERR_UNSUPPORTED', kPlatform, 'no binary', 'none'));
    mkdirSync(join(root, 'prebuilds', 'plan9-mips'), { recursive: true });
    assert.throws(() => loadAddon(root), coded('ERR_UNSUPPORTED', kPlatform, 'plan9-mips'));
  });

  it('says in a clone of the sources how to make one', (context) => {
    const root = scratchFolder(context);
    writeFileSync(join(root, 'CMakeLists.txt'), '');
    assert.throws(() => loadAddon(root), coded('ERR_UNSUPPORTED', 'no binary', 'npm run build'));
  });

  it('says why a binary does not run', (context) => {
    const root = scratchFolder(context);
    mkdirSync(join(root, 'prebuilds', kPlatform), { recursive: true });
    writeFileSync(join(root, 'prebuilds', kPlatform, 'saferoute.napi.node'), 'not a library');
    assert.throws(() => loadAddon(root), coded('ERR_UNSUPPORTED', 'does not run', kPlatform));
  });

  it('names the C library where it is the reason', { skip: process.platform !== 'linux' }, (context) => {
    const report = process.report.getReport();
    context.mock.method(process.report, 'getReport', () => ({ ...report, header: {} }));
    assert.throws(() => loadAddon(scratchFolder(context)), coded('ERR_UNSUPPORTED', 'musl'));
  });
});
