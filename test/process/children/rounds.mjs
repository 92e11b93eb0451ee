// Loads, works and closes a hundred times: `node --expose-gc rounds.mjs pairs|engines`, whole pairs or their native engines alone.
// Prints the process's resident bytes, in all and outside V8's heap, after the tenth and the hundredth round.
import { getHeapStatistics } from 'node:v8';
import native from '../../../dist/native.js';
import face from '../../../dist/saferoute.js';

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

const run = await { pairs, engines }[process.argv[2]]();
const resident = {};
for (let round = 1; round <= 100; round += 1) {
  await run();
  if (round === 10 || round === 100) {
    global.gc();
    const all = process.memoryUsage().rss;
    resident[round] = { all, outside: all - getHeapStatistics().total_physical_size };
  }
}
console.log(JSON.stringify(resident));
