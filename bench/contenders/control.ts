// What a guard's figures of the event loop are held against: an idle process, and one whose threads are as busy as a guard's and as low in priority.
import { setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Contender, refuse, type Setup, timeInTurn } from './contender.js';
import { lateness } from './lateness.js';

const kNice = 5; // as a guard's own threads
const kSlice = 100; // ms: the idle process looks this often whether its time is over

export async function openControl({ threads }: Setup): Promise<Contender> {
  return {
    facts: {},
    run: async (work) => {
      if (work.kind === 'tick') return lateness(work.ms, () => new Promise((resolve) => setTimeout(resolve, kSlice)));
      if (work.kind !== 'spin') return refuse('the control', work);
      return timeInTurn([work.ms], (ms) => spin(threads, ms));
    },
    close: async () => {},
  };
}

/** Threads inherit the priority of the one that makes them. */
async function spin(threads: number, ms: number): Promise<void> {
  setPriority(kNice);
  const body = `const end = performance.now() + ${ms}; while (performance.now() < end);`;
  const ends = Array.from({ length: threads }, () => {
    const worker = new Worker(body, { eval: true });
    return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  });
  await Promise.all(ends);
}
