// How late a timer fires in a process whose guard computes all the time, beside a process that only shares the machine with two busy threads.
import { entrant } from '../contenders/entrants.js';
import { prompt } from '../prompts/prompts.js';
import { type Figure, summarise } from '../report/figure.js';
import { percentile } from '../statistics.js';
import { setupOf } from '../trial/setup-of.js';
import { Trial } from '../trial/trial.js';
import { Unavailable } from '../unavailable.js';
import { kShapes } from '../weights/shapes.js';
import { type Bench, byEffort, type Case } from './case.js';

const kGuard = kShapes['llama-guard-3-1b'];
const kInFlight = 16;
const kLoad = { inFlight: kInFlight, promptTokens: 512 };
const kMessageTokens = 128;
const kOurs = 'saferoute-int8';

export const kEventLoop: Case = {
  name: 'event-loop',
  about:
    'by how much a 1 ms timer comes late, 99th percentile, while a guard computes; the control is idle beside as many busy threads',
  quick: true,
  devices: ['cpu'],
  run: async (bench) => {
    if (bench.chosen !== null && !bench.chosen.has(kOurs)) return [];
    const trials = { guard: new Trial(), control: new Trial(), spinner: new Trial() };
    try {
      await trials.guard.open(setupOf(bench, entrant(kOurs), { ...kLoad, guard: kGuard.name }));
      await trials.control.open(setupOf(bench, entrant('control'), { ...kLoad, guard: null }));
      await trials.spinner.open(setupOf(bench, entrant('control'), { ...kLoad, guard: null }));
      return await measure(bench, trials);
    } catch (cause) {
      if (!(cause instanceof Unavailable)) throw cause;
      bench.note(`event-loop: ${kOurs} skipped: ${cause.message}`);
      return [];
    } finally {
      for (const trial of Object.values(trials)) await trial.kill();
    }
  },
};

async function measure(bench: Bench, trials: Record<'guard' | 'control' | 'spinner', Trial>): Promise<Figure[]> {
  const samples = byEffort(bench, 1, 6, 15);
  const ms = byEffort(bench, 2000, 5000, 10_000);
  const prompts = Array.from({ length: kInFlight }, (_, row) => prompt(kMessageTokens, row));
  const loaded: number[] = [];
  const beside: number[] = [];
  const idle: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    bench.progress(`event-loop: sample ${sample + 1} of ${samples}`);
    const p99 = ({ each }: { each: number[] }) => percentile(each, 0.99);
    loaded.push(p99(await trials.guard.run({ kind: 'tick', ms, prompts })));
    const spinning = trials.spinner.run({ kind: 'spin', ms });
    beside.push(p99(await trials.control.run({ kind: 'tick', ms, prompts: [] })));
    await spinning;
    idle.push(p99(await trials.control.run({ kind: 'tick', ms, prompts: [] })));
  }
  const figure = (point: string, contender: string, values: number[]) =>
    summarise({ case: 'event-loop', point, contender, unit: 'ms' }, values);
  return [
    figure('lateness', kOurs, loaded),
    figure('lateness', 'beside busy threads', beside),
    figure('lateness', 'idle machine', idle),
    figure(
      'above the control',
      kOurs,
      loaded.map((late, index) => late - (beside[index] as number)),
    ),
  ];
}
