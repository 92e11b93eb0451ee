// One trial: a process of its own that holds one contender, or several that must share a process, and is asked for samples.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Sample, Setup, Work } from '../contenders/contender.js';
import { Unavailable } from '../unavailable.js';
import { cacheDirectory } from '../weights/cache-directory.js';
import type { Answer, Request } from './messages.js';

const kChild = join(import.meta.dirname, 'child.ts');

export class Trial {
  readonly #child: ChildProcess;
  #opened = 0;

  /** Starts the process; nothing is opened in it yet. Converted guards are kept beside the generated ones, not among the user's own. */
  constructor(weightCache = join(cacheDirectory(), 'converted')) {
    this.#child = fork(kChild, {
      execArgv: ['--import', 'tsx'],
      serialization: 'advanced',
      env: { ...process.env, SAFEROUTE_CACHE_DIR: weightCache },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Throws Unavailable where the contender cannot take part. `at` is its number for `run`. */
  async open(setup: Setup): Promise<{ at: number; facts: Record<string, string | number>; ms: number }> {
    const { facts, ms } = await this.#ask({ kind: 'open', setup }, 'opened');
    return { at: this.#opened++, facts, ms };
  }

  async run(work: Work, at = 0): Promise<Sample> {
    return (await this.#ask({ kind: 'run', at, work }, 'sample')).sample;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.connected) await this.#ask({ kind: 'close' }, 'closed');
  }

  /** For a trial that has failed, or is over. Resolves when its process has ended, and so has given back what it held of a GPU. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #ask<Kind extends Answer['kind']>(request: Request, expected: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) {
        reject(new Error("the trial's process has ended"));
        return;
      }
      const settle = () => {
        this.#child.off('message', onAnswer);
        this.#child.off('exit', onExit);
      };
      const onAnswer = (answer: Answer) => {
        settle();
        if (answer.kind === expected) resolve(answer as Extract<Answer, { kind: Kind }>);
        else if (answer.kind !== 'failed') reject(new Error(`expected '${expected}', the trial said '${answer.kind}'`));
        else reject(answer.unavailable ? new Unavailable(answer.message) : new Error(answer.message));
      };
      const onExit = (code: number | null, signal: string | null) => {
        settle();
        reject(new Error(`the trial's process ended with ${signal ?? `code ${code}`}`));
      };
      this.#child.on('message', onAnswer);
      this.#child.on('exit', onExit);
      this.#child.send(request);
    });
  }
}
