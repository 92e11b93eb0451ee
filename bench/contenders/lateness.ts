// How late a timer of this process fires while something goes on: what the requests of a server would feel.
import type { Sample } from './contender.js';

const kTimerMs = 1;

/** Milliseconds by which each tick came late, over `ms` milliseconds of `work`, which is begun again as often as it ends. */
export async function lateness(ms: number, work: () => Promise<unknown>): Promise<Sample> {
  const fromMs = performance.now();
  const each: number[] = [];
  let dueMs = fromMs + kTimerMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    each.push(Math.max(0, nowMs - dueMs));
    dueMs = nowMs + kTimerMs;
  }, kTimerMs);
  while (performance.now() - fromMs < ms) await work();
  clearInterval(timer);
  return { ms: performance.now() - fromMs, each };
}
