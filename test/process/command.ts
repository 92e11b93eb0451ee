// Runs the `saferoute` command as people do, in a process of its own, and lets it be killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type { Ended } from './run-child.js';

const kMain = resolve(__dirname, '../../dist/cli/main.js');
const kKiller = pathToFileURL(join(__dirname, 'children', 'killed-writing.mjs')).href;

export function startCommand(args: string[], flags: string[] = [], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [...flags, kMain, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const ended: Promise<Ended> = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code, signal]]) => ({ stdout, stderr, code, signal }),
  );
  return { child, ended };
}

export function runCommand(...args: string[]): Promise<Ended> {
  return startCommand(args).ended;
}

/** Killed once it has written `bytes` bytes of a file whose name ends in `ending`, in the middle of whatever it writes there. */
export function killCommand(args: string[], ending: string, bytes: number): Promise<Ended> {
  return startCommand(args, ['--import', kKiller], { SAFEROUTE_TEST_KILL: `${ending}:${bytes}` }).ended;
}
