// Loads, works and closes a hundred times: `node rounds.mjs pairs|engines|trainings [FEATURES ROUTER]`, whole pairs, their native engines
// alone, or trainings of an epoch. Prints the process's resident bytes after every tenth round.
import { Session } from 'node:inspector/promises';
import native from '../../../dist/native.js';
import face from '../../../dist/saferoute.js';
import { train } from '../../../dist/train/index.mjs';

const kIds = new Int32Array(20).fill(5);
const kOptions = { wantFeature: false, bulk: false, deadlineMs: null };
const addon = native.loadAddon();

/** What the native engine of the embedded pair is loaded from. */
async function engineConfig() {
  let seen;
  const loadEngine = (config, onEvents) => {
    seen = config;
    return addon.loadEngine(config, onEvents);
  };
  await (await face.openPair(undefined, undefined, () => ({ ...addon, loadEngine }))).close();
  return seen;
}

async function pairs() {
  return async () => {
    const pair = await face.SafeRoute.load(undefined, { escalation: { kind: 'always' } });
    await pair.check('hello');
    await pair.close();
  };
}

async function engines() {
  const config = await engineConfig();
  return async () => {
    let answer;
    const answered = new Promise((resolve) => {
      answer = resolve;
    });
    const engine = await addon.loadEngine(config, answer);
    engine.submit('small', kIds, null, kOptions);
    await answered;
    await engine.close();
  };
}

async function trainings() {
  const [features, output] = process.argv.slice(3);
  return () => train(features, { output, epochs: 1 });
}

const run = await { pairs, engines, trainings }[process.argv[2]]();
const inspector = new Session();
inspector.connect();
const resident = {};
for (let round = 1; round <= 100; round += 1) {
  await run();
  if (round % 10 !== 0) continue;
  // V8's space for young objects doubles and shrinks whatever the work is; a collection brings it to where it began.
  await inspector.post('HeapProfiler.collectGarbage');
  resident[round] = process.memoryUsage().rss;
}
inspector.disconnect();
console.log(JSON.stringify(resident));
