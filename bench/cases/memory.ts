// Memory of a loaded contender: what is its own (Pss), after a few checks, and the most that it ever held.
import { readFileSync } from 'node:fs';
import { entrant } from '../contenders/entrants.js';
import { prompt } from '../prompts/prompts.js';
import { type Figure, summarise } from '../report/figure.js';
import { setupOf } from '../trial/setup-of.js';
import { Trial } from '../trial/trial.js';
import { Unavailable } from '../unavailable.js';
import { kShapes } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens } from '../weights/template.js';
import { type Bench, type Case, entrantsFor } from './case.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kMessageTokens = 64;
const kChecks = 8;
const kQuick = ['saferoute-int8'];
const kOthers = ['llama-q8', 'llama-q4'];
const kLarge = ['saferoute-f32', 'llama-bf16'];

export const kMemory: Case = {
  name: 'memory',
  about: `MiB of a process that has read ${kChecks} prompts, one at a time`,
  quick: true,
  run: async (bench) => {
    if (process.platform !== 'linux') {
      bench.note('memory: skipped: only Linux tells what is a process’s own');
      return [];
    }
    const figures: Figure[] = [];
    for (const name of entrantsFor(bench, kQuick, [...kQuick, ...kOthers], [...kQuick, ...kOthers, ...kLarge])) {
      if (bench.chosen !== null && !bench.chosen.has(name)) continue;
      bench.progress(`memory: ${name}`);
      figures.push(...(await weigh(bench, name)));
    }
    return figures.sort((a, b) => a.point.localeCompare(b.point));
  },
};

async function weigh(bench: Bench, contender: string): Promise<Figure[]> {
  const promptTokens = kHeadTokens + kMessageTokens + kTailTokens;
  const setup = setupOf(bench, entrant(contender), { guard: kGuard.name, inFlight: 1, promptTokens });
  const trial = new Trial();
  try {
    await trial.open(setup);
    for (let round = 0; round < kChecks; round++) {
      await trial.run({ kind: 'read', prompts: [prompt(kMessageTokens, round)], reuse: true });
    }
    const place = { case: 'memory', contender, unit: 'MiB' as const };
    return [
      summarise({ ...place, point: 'its own' }, [mebibytes(trial.pid, 'smaps_rollup', 'Pss')]),
      summarise({ ...place, point: 'most ever' }, [mebibytes(trial.pid, 'status', 'VmHWM')]),
    ];
  } catch (cause) {
    if (!(cause instanceof Unavailable)) throw cause;
    bench.note(`memory: ${contender} skipped: ${cause.message}`);
    return [];
  } finally {
    trial.kill();
  }
}

/** A field of a file under /proc that counts kibibytes. */
function mebibytes(pid: number, file: 'smaps_rollup' | 'status', field: string): number {
  const path = `/proc/${pid}/${file}`;
  const match = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(path, 'utf8'));
  if (match === null) throw new Error(`${path} has no field ${field}`);
  return Number(match[1]) / 1024;
}
