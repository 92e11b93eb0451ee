// Trains, chooses and judges the embedded pair's router, after recipe.py made the guards:
// node routers.mjs --data DIR --work DIR --out ../tiny. Every step leaves its result under --work and is skipped when that is there.
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { calibrate, evaluate, label, openFeatures, train } from 'saferoute/train';
import { kMeanSets, kOtherSets, summaryOf } from './router_figures.mjs';

const kNoncommercial = ['toxicchat', 'xstest_response'];

const kSeeds = [0, 1, 2, 3, 4];
/** The published 1,000 (500) would take hours for fifteen routers. */
const kEpochs = 100;
const kRecipes = ['official', 'benefit', 'dynaguard'];
/** What was asked of the pair, under 40 %, with the finite-sample bound. */
const kTarget = { kind: 'escalation', atMost: 0.4 };
/** The embedded guards read 2,048 tokens; a few rows are longer. */
const kReading = { overlong: 'truncate' };

const { values } = parseArgs({
  options: { data: { type: 'string' }, work: { type: 'string' }, out: { type: 'string', default: '../tiny' } },
});
if (values.data === undefined || values.work === undefined) throw new Error('--data and --work are folders');
const data = resolve(values.data);
const work = resolve(values.work);
const out = resolve(values.out);

/** @param {string} name of a features file */
const featuresOf = (name) => join(work, 'features', `${name}.safetensors`);

function rowsOf(name) {
  if (['router', 'valid', 'in_domain'].includes(name)) return join(work, 'rows', `${name}.jsonl`);
  return join(data, kNoncommercial.includes(name) ? 'noncommercial/eval' : 'eval', `${name}.jsonl`);
}

async function labelAll() {
  mkdirSync(join(work, 'features'), { recursive: true });
  for (const name of ['router', 'valid', ...kMeanSets, ...kOtherSets]) {
    if (existsSync(featuresOf(name))) continue;
    const { rows, failed } = await label({
      small: join(out, 'small'),
      large: join(out, 'large'),
      data: rowsOf(name),
      output: featuresOf(name),
      options: kReading,
    });
    say(`${name}: ${rows} rows, ${failed.length} failed`);
  }
}

/** One router, its threshold, and what the pair comes to with it. */
async function tryRouter(recipe, seed) {
  const name = `${recipe}-${seed}`;
  const router = join(work, 'routers', `${name}.safetensors`);
  if (!existsSync(router)) {
    mkdirSync(join(work, 'routers'), { recursive: true });
    await train(featuresOf('router'), { output: router, recipe, seed, epochs: kEpochs, dtype: 'f16' });
  }
  const pair = join(work, 'pairs', name);
  mkdirSync(pair, { recursive: true });
  const calibration = await calibrate(featuresOf('valid'), { target: kTarget, balance: 'sources', router, pair });
  const evaluation = await judge(pair, 0);
  say(
    `${name}: validation F1 ${calibration.chosen.f1.toFixed(4)} at ${calibration.chosen.escalated.toFixed(3)} escalated`,
  );
  return { recipe, seed, router, calibration, evaluation };
}

function judge(pair, latencyPrompts) {
  return evaluate({
    pair,
    data: [...kMeanSets, ...kOtherSets].map(featuresOf),
    calibration: featuresOf('router'),
    options: kReading,
    latencyPrompts,
  });
}

/** Puts the router with the best F1 on the validation rows into the pair, with its threshold. */
async function ship({ router }) {
  const place = join(out, 'router.safetensors');
  writeFileSync(`${place}.partial`, readFileSync(router));
  renameSync(`${place}.partial`, place);
  await calibrate(featuresOf('valid'), { target: kTarget, balance: 'sources', router: place, pair: out });
  return judge(out, 50);
}

/** How many rows the routers learn from, and how many of them the small guard gets wrong and the large one right. */
async function routerRows() {
  const { rows, label: truth, small, large } = await openFeatures(featuresOf('router'));
  const right = (guard, row) => guard.unsafe[row] > guard.safe[row] === (truth[row] === 1);
  const hard = Array.from({ length: rows }, (_, row) => !right(small, row) && right(large, row)).filter(Boolean).length;
  return { rows, hard };
}

function say(text) {
  console.log(`${new Date().toTimeString().slice(0, 8)} ${text}`);
}

await labelAll();
const tried = [];
for (const recipe of kRecipes) for (const seed of kSeeds) tried.push(await tryRouter(recipe, seed));
const best = tried.reduce((a, b) => (b.calibration.chosen.f1 > a.calibration.chosen.f1 ? b : a));
const shipped = await ship(best);
const results = {
  guards: JSON.parse(readFileSync(join(work, 'guards.json'), 'utf8')),
  router_rows: await routerRows(),
  bytes: ['small/model', 'large/model', 'router'].reduce(
    (sum, name) => sum + statSync(join(out, `${name}.safetensors`)).size,
    0,
  ),
  ...summaryOf(tried, best, shipped),
};
writeFileSync(join(work, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
writeFileSync(join(work, 'evaluation.json'), `${JSON.stringify(shipped)}\n`);
