// Memory of a loaded contender: of the host what is its own (Pss), after a few checks, and the most that it ever held; of a GPU what it took
// there, and what for.

import type { Sample } from '../contenders/contender.js';
import { entrant } from '../contenders/entrants.js';
import { freeGpuBytes } from '../device.js';
import { prompt } from '../prompts/prompts.js';
import { type Figure, summarise } from '../report/figure.js';
import { processMemory } from '../trial/process-memory.js';
import { setupOf } from '../trial/setup-of.js';
import { Trial } from '../trial/trial.js';
import { kShapes } from '../weights/shapes.js';
import { kHeadTokens, kTailTokens, wordsText } from '../weights/template.js';
import { type Bench, type Case, entrantsFor, fieldOf } from './case.js';
import { leaveOut } from './leave-out.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kMessageTokens = 64;
const kChecks = 8;
const kMebibyte = 2 ** 20;
const kFields = {
  cpu: fieldOf(['saferoute-int8'], ['llama-q8', 'llama-q4'], ['saferoute-f32', 'llama-bf16']),
  cuda: fieldOf(
    ['saferoute-bf16', 'saferoute-fp8', 'cascade-20-llama-guard-3-8b-bf16', 'cascade-20-llama-guard-3-8b-fp8'],
    ['transformers-gpu', 'transformers-gpu-cascade'],
  ),
};

export const kMemory: Case = {
  name: 'memory',
  about: `MiB of a contender that has read ${kChecks} prompts, one at a time: of its process, or of the GPU`,
  quick: true,
  devices: ['cpu', 'cuda'],
  run: async (bench) => {
    if (bench.device === 'cpu' && process.platform !== 'linux') {
      bench.note('memory: skipped: only Linux tells what is a process’s own');
      return [];
    }
    const figures: Figure[] = [];
    for (const name of entrantsFor(bench, kFields)) {
      if (bench.chosen !== null && !bench.chosen.has(name)) continue;
      bench.progress(`memory: ${name}`);
      figures.push(...(await weigh(bench, name)));
    }
    return bench.device === 'cpu' ? figures.sort((a, b) => a.point.localeCompare(b.point)) : figures;
  },
};

async function weigh(bench: Bench, contender: string): Promise<Figure[]> {
  const trial = new Trial();
  try {
    return await (bench.device === 'cpu' ? ofTheHost(bench, contender, trial) : ofTheGpu(bench, contender, trial));
  } catch (cause) {
    leaveOut(bench, 'memory', contender, cause);
    return [];
  } finally {
    await trial.kill();
  }
}

async function ofTheHost(bench: Bench, contender: string, trial: Trial): Promise<Figure[]> {
  await readSome(bench, contender, trial);
  const { pss, mostResident } = processMemory(trial.pid);
  const place = { case: 'memory', contender, unit: 'MiB' as const };
  return [
    summarise({ ...place, point: 'its own' }, [pss / kMebibyte]),
    summarise({ ...place, point: 'most ever' }, [mostResident / kMebibyte]),
  ];
}

/** By the driver's own account, CUDA's context and libraries included; and by the contender's, where it keeps one. */
async function ofTheGpu(bench: Bench, contender: string, trial: Trial): Promise<Figure[]> {
  const freeBefore = await freeGpuBytes();
  await readSome(bench, contender, trial);
  const taken = freeBefore - (await freeGpuBytes());
  const { gpuBytes = {} } = await trial.run({ kind: 'gpu-memory' });
  await trial.close();
  const figure = (who: string, bytes: number) =>
    summarise({ case: 'memory', point: contender, contender: who, unit: 'MiB' }, [bytes / kMebibyte]);
  return [figure(contender, taken), ...Object.entries(gpuBytes).map(([owner, bytes]) => figure(owner, bytes))];
}

async function readSome(bench: Bench, contender: string, trial: Trial): Promise<void> {
  const who = entrant(contender);
  const promptTokens = kHeadTokens + kMessageTokens + kTailTokens;
  await trial.open(setupOf(bench, who, { guard: kGuard.name, inFlight: 1, promptTokens }));
  const read = (round: number): Promise<Sample> =>
    who.text
      ? trial.run({ kind: 'check', texts: [wordsText(kMessageTokens, round * kMessageTokens)] })
      : trial.run({ kind: 'read', prompts: [prompt(kMessageTokens, round)], reuse: true });
  for (let round = 0; round < kChecks; round++) await read(round);
}
