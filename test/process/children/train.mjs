// Trains a router and ends as it is told to: `node train.mjs HOW FEATURES OUTPUT EPOCHS`, in this thread or in a worker's.
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import checkpoint from '../../../dist/checkpoint/index.js';
import reader from '../../../dist/train/features-reader.js';
import hardness from '../../../dist/train/hardness.js';
import { train } from '../../../dist/train/index.mjs';

const [how, features, output, epochs] = isMainThread ? process.argv.slice(2) : workerData;
const kExitCode = 7;

function begin(options = {}) {
  return train(features, { output, epochs: Number(epochs), ...options });
}

/** Begins a training and returns when it has done an epoch. */
function begun() {
  return new Promise((resolve, reject) => {
    begin({ onProgress: resolve }).then(() => reject(new Error('the training is over')), reject);
  });
}

function worker(task) {
  return new Worker(new URL(import.meta.url), { workerData: [task, features, output, epochs] });
}

const ways = {
  async 'to the end'() {
    const { resumed } = await begin();
    console.log(resumed ? 'resumed' : 'from the beginning');
  },
  async 'stop after an epoch'() {
    const stop = new AbortController();
    const stopped = begin({ signal: stop.signal, onProgress: () => stop.abort() });
    console.log(await stopped.catch(({ code }) => code));
  },
  async 'be killed after an epoch'() {
    await begin({ onProgress: () => process.kill(process.pid, 'SIGKILL') });
  },
  async 'exit while training'() {
    await begun();
    process.exit(kExitCode);
  },
  async 'exit while a training begins'() {
    begin();
    await new Promise((resolve) => setImmediate(resolve));
    process.exit(kExitCode);
  },
  async 'exit while routing'() {
    const table = await reader.openFeatures(features);
    hardness.hardnessOf(table, await checkpoint.openRouter(output));
    process.exit(kExitCode);
  },
  async 'exit beside workers that train'() {
    await Promise.all([once(worker('train and say so'), 'message'), begun()]);
    process.exit(kExitCode);
  },
  async 'terminate a worker that trains'() {
    const training = worker('train and say so');
    await once(training, 'message');
    console.log(await training.terminate());
  },
  async 'let a worker that trains exit'() {
    console.log((await once(worker('exit while training'), 'exit'))[0]);
  },
  async 'train and say so'() {
    await begun();
    parentPort.postMessage('training');
  },
};

await ways[how]();
