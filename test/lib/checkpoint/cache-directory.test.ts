import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { cacheDirectory } from '../../../lib/checkpoint/cache-directory.js';

describe('cacheDirectory', () => {
  const home = homedir();

  it('takes the first that is named', () => {
    const environment = { SAFEROUTE_CACHE_DIR: '/named/by/environment', XDG_CACHE_HOME: '/xdg' };
    assert.deepEqual(cacheDirectory('/named', environment, 'linux'), { path: '/named', named: true });
    assert.deepEqual(cacheDirectory(undefined, environment, 'linux'), { path: '/named/by/environment', named: true });
  });

  it("follows the system's conventions where none is named", () => {
    const cases: [NodeJS.ProcessEnv, NodeJS.Platform, string][] = [
      [{ XDG_CACHE_HOME: '/xdg' }, 'linux', '/xdg/saferoute'],
      [{ XDG_CACHE_HOME: '/xdg', SAFEROUTE_CACHE_DIR: '' }, 'linux', '/xdg/saferoute'],
      [{ XDG_CACHE_HOME: '' }, 'linux', join(home, '.cache/saferoute')],
      [{ XDG_CACHE_HOME: 'relative' }, 'linux', join(home, '.cache/saferoute')],
      [{}, 'linux', join(home, '.cache/saferoute')],
      [{ XDG_CACHE_HOME: '/xdg' }, 'darwin', join(home, 'Library/Caches/saferoute')],
    ];
    for (const [environment, platform, path] of cases) {
      assert.deepEqual(cacheDirectory(undefined, environment, platform), { path, named: false });
    }
  });

  it('makes a relative name absolute', () => {
    assert.equal(cacheDirectory('here', {}, 'linux').path, resolve('here'));
    assert.equal(cacheDirectory(undefined, { SAFEROUTE_CACHE_DIR: 'there' }, 'linux').path, resolve('there'));
  });
});
