/** Work that Ctrl-C ends: the signal that it listens to, and how the command ends then. */

import { existsSync } from 'node:fs';
import { codeOf, kExit } from './exit.js';

export interface Interruption {
  /** Said at once, where the work does not end at once. */
  announcement?: string;
  /** Said when the work has ended; without it nothing is. */
  stopped?: () => string;
}

/** The exit code of `work`; that of an interrupted command where the work rejects because SIGINT has aborted its signal. */
export async function untilInterrupted(
  work: (signal: AbortSignal) => Promise<number>,
  { announcement, stopped }: Interruption = {},
): Promise<number> {
  const stop = new AbortController();
  const interrupt = () => {
    stop.abort('SIGINT');
    if (announcement !== undefined) process.stderr.write(`\nsaferoute: ${announcement}\n`);
  };
  process.once('SIGINT', interrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted || codeOf(error) !== 'ERR_ABORTED') throw error;
    if (stopped !== undefined) process.stderr.write(`saferoute: stopped. ${stopped()}\n`);
    return kExit.interrupted;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** For `stopped`: what a command keeps of unfinished work lies at `path`, once there is any. */
export function whatIsKept(path: string): string {
  if (!existsSync(path)) return 'Nothing had been done yet.';
  return `What is done is in ${path}; the same command goes on from there.`;
}
