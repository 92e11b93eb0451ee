// From nothing to the first verdict: the first load of a checkpoint, which converts it, a load from the weight cache, and, for comparison,
// nothing but a session of the same matrices.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { entrant, isOurs } from '../contenders/entrants.js';
import { prompt } from '../prompts/prompts.js';
import { type Figure, summarise } from '../report/figure.js';
import { setupOf } from '../trial/setup-of.js';
import { Trial } from '../trial/trial.js';
import { cacheDirectory } from '../weights/cache-directory.js';
import { kShapes } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens } from '../weights/template.js';
import { type Bench, byEffort, type Case, entrantsFor, fieldOf } from './case.js';
import { leaveOut } from './leave-out.js';

const kMessageTokens = 64;
const kGuard = kShapes['llama-guard-3-1b'];
const kSession = 'gemm-int8-all-layers';
const kConverted = 'saferoute-int8';
const kFields = {
  cpu: fieldOf(['saferoute-int8', kSession], ['llama-q8', 'llama-q4']),
  cuda: fieldOf(['saferoute-bf16', 'saferoute-fp8'], ['transformers-gpu', 'llama-q8-gpu']),
};

export const kColdStart: Case = {
  name: 'cold-start',
  about:
    'from the call that loads to the first verdict, each time in a new process; a session of the same matrices for comparison',
  quick: true,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    const names = entrantsFor(bench, kFields).filter((name) => bench.chosen === null || bench.chosen.has(name));
    const figures: Figure[] = [];
    // On the GPU nothing is converted that could be kept.
    if (names.includes(kConverted)) figures.push(...(await firstLoad(bench)));
    const samples = new Map(names.map((name): [string, number[]] => [name, []]));
    const rounds = byEffort(bench, 1, 4, 8);
    for (let round = -1; round < rounds; round++) {
      for (const name of [...samples.keys()]) {
        bench.progress(`cold-start: ${name}, sample ${Math.max(0, round + 1)} of ${rounds}`);
        const ms = await start(bench, name, undefined);
        if (ms === null) samples.delete(name);
        // The first round only brings the files into the page cache, and ours into the weight cache.
        else if (round >= 0) samples.get(name)?.push(ms);
      }
    }
    const place = { case: 'cold-start', point: 'from the caches', unit: 'ms' as const };
    const measured = [...samples].map(([contender, times]) => summarise({ ...place, contender }, times));
    const ours = measured.find(({ contender }) => isOurs(contender));
    figures.push(...measured.map((figure) => ({ ...figure, ratio: ours ? ours.median / figure.median : null })));
    return figures;
  },
};

/** With an empty weight cache. */
async function firstLoad(bench: Bench): Promise<Figure[]> {
  bench.progress('cold-start: first load, with conversion');
  const empty = mkdtempSync(join(cacheDirectory(), 'first-load-'));
  try {
    const ms = await start(bench, kConverted, empty);
    const place = { case: 'cold-start', point: 'first load', contender: kConverted, unit: 'ms' as const };
    return ms === null ? [] : [summarise(place, [ms])];
  } finally {
    rmSync(empty, { recursive: true });
  }
}

/** Milliseconds from the load's call to the first verdict; the session has no verdict to give. Null where it cannot take part. */
async function start(bench: Bench, name: string, weightCache: string | undefined): Promise<number | null> {
  const promptTokens = kHeadTokens + kMessageTokens + kTailTokens;
  const setup = setupOf(bench, entrant(name), { guard: kGuard.name, inFlight: 1, promptTokens });
  const trial = new Trial(weightCache);
  try {
    const { ms } = await trial.open(setup);
    if (name === kSession) return ms;
    const first = await trial.run({ kind: 'read', prompts: [prompt(kMessageTokens, 0)], reuse: true });
    return ms + first.ms;
  } catch (cause) {
    leaveOut(bench, 'cold-start', name, cause);
    return null;
  } finally {
    await trial.kill();
  }
}
