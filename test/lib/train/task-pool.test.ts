import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TaskPool } from '../../../lib/train/task-pool.js';

interface Held {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

function held(): Held {
  const parts = {} as Held;
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

/** Lets everything happen that waits for nothing but its turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Starts a task for each size and tells which have begun. */
function begin(pool: TaskPool, sizes: number[]) {
  const tasks = sizes.map(held);
  const begun: number[] = [];
  const all = (async () => {
    for (const [at, size] of sizes.entries()) {
      await pool.run(size, () => {
        begun.push(at);
        return (tasks[at] as Held).promise;
      });
    }
    await pool.end();
  })();
  return { tasks, begun, all };
}

describe('a pool of tasks', () => {
  it('runs no more of them than allowed, and the next as soon as one is done', async () => {
    const { tasks, begun, all } = begin(new TaskPool({ tasks: 2, bytes: 100 }), [1, 1, 1, 1]);
    await turn();
    assert.deepEqual(begun, [0, 1]);
    tasks[1]?.resolve();
    await turn();
    assert.deepEqual(begun, [0, 1, 2]);
    for (const task of tasks) task.resolve();
    await all;
    assert.deepEqual(begun, [0, 1, 2, 3]);
  });

  it('holds no more bytes than allowed, but for one task that is larger and runs alone', async () => {
    const { tasks, begun, all } = begin(new TaskPool({ tasks: 9, bytes: 10 }), [6, 4, 1, 50, 1]);
    await turn();
    assert.deepEqual(begun, [0, 1]);
    tasks[0]?.resolve();
    await turn();
    assert.deepEqual(begun, [0, 1, 2]);
    tasks[1]?.resolve();
    await turn();
    assert.deepEqual(begun, [0, 1, 2]);
    tasks[2]?.resolve();
    await turn();
    assert.deepEqual(begun, [0, 1, 2, 3]);
    tasks[3]?.resolve();
    tasks[4]?.resolve();
    await all;
  });

  it('starts nothing after an error, which it throws', async () => {
    const { tasks, begun, all } = begin(new TaskPool({ tasks: 1, bytes: 10 }), [1, 1]);
    await turn();
    tasks[0]?.reject(new Error('first'));
    await assert.rejects(all, /first/);
    assert.deepEqual(begun, [0]);
  });

  it('ends with the first error only when no task runs any more', async () => {
    const { tasks, all } = begin(new TaskPool({ tasks: 2, bytes: 10 }), [1, 1]);
    let ended = false;
    const watched = all.finally(() => {
      ended = true;
    });
    await turn();
    tasks[0]?.reject(new Error('first'));
    await turn();
    assert.equal(ended, false);
    tasks[1]?.reject(new Error('second'));
    await assert.rejects(watched, /first/);
  });
});
