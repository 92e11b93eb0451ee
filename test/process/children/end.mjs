// Ends the process without closing the pair: `node end.mjs HOW`.
import { inFlight, load, loadBegun, longRead } from './in-flight.mjs';

const kExitCode = 7;

const ways = {
  async idle() {
    const pair = await load();
    console.log((await pair.check('hello')).label);
  },
  async 'with requests in flight'() {
    const pair = await load();
    for (const guard of [pair.small, pair.large]) longRead(guard).then(({ score }) => console.log(typeof score));
  },
  async 'exit while loading'() {
    await loadBegun();
    process.exit(kExitCode);
  },
  async 'exit in the middle of a run'() {
    await inFlight(await load());
    process.exit(kExitCode);
  },
  async 'exit in a handler'() {
    const pair = await load();
    const reads = await inFlight(pair);
    await reads[0];
    process.exit(kExitCode);
  },
  async 'uncaught error in the middle of a run'() {
    await inFlight(await load());
    throw new Error('nobody catches this');
  },
  async 'exit while closing'() {
    const pair = await load();
    for (const read of await inFlight(pair)) read.catch(() => {});
    pair.close();
    process.exit(kExitCode);
  },
  async 'exit listener that uses the pair'() {
    const pair = await load();
    process.on('exit', () => {
      pair.check('too late').catch(() => {});
      console.log(pair.stats().requests.submitted);
    });
    await pair.check('hello');
  },
};

await ways[process.argv[2]]();
