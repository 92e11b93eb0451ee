// Contenders side by side: each in a process of its own, all alive at once, asked for one sample each in turn, always on the same inputs.
// What the machine does meanwhile (clock, neighbours) so hits all of them alike.
import { freemem } from 'node:os';
import type { Sample, Setup, Work } from '../contenders/contender.js';
import type { Entrant } from '../contenders/entrant.js';
import { entrant } from '../contenders/entrants.js';
import { gpuNeed } from '../contenders/gpu-need.js';
import { memoryNeed } from '../contenders/memory-need.js';
import { freeGpuBytes } from '../device.js';
import { type Figure, summarise, type Unit } from '../report/figure.js';
import { median } from '../statistics.js';
import { type Need, planHeats } from '../trial/heats.js';
import { setupOf } from '../trial/setup-of.js';
import { Trial } from '../trial/trial.js';
import type { Bench } from './case.js';
import { leaveOut } from './leave-out.js';

const kMemoryShare = 0.9; // of what is free, for all contenders of a heat

export interface Point {
  label: string;
  unit: Unit;
  samples: number;
  /** Samples that are taken first and thrown away. */
  warmups: number;
  /** What these samples do, where it is not what is measured. */
  warmup?(entrant: Entrant): Work;
  /** The same `round` gives all contenders the same inputs, another round gives others. */
  work(round: number, entrant: Entrant): Work;
  /** What a sample counts as, in `unit`; each element is one value. None: this contender does not tell. */
  values(sample: Sample): number[];
  /** GEMM operations that this contender cannot avoid in one sample of `ms` milliseconds; null where there are none. */
  operations?(entrant: Entrant): number;
}

export interface Comparison {
  case: string;
  guard: string | null;
  inFlight: number;
  promptTokens: number;
  /** Names; the first is ours, which all others are put in relation to. */
  entrants: readonly string[];
  points: readonly Point[];
  /** One process for all: for contenders that are compared to a hair. */
  together?: boolean;
}

interface Seat {
  entrant: Entrant;
  trial: Trial;
  at: number;
}

export async function compare(bench: Bench, comparison: Comparison): Promise<Figure[]> {
  const entrants = comparison.entrants.map(entrant).filter(({ name }) => bench.chosen?.has(name) ?? true);
  const [ours, ...others] = entrants;
  if (ours === undefined) return [];
  const need = (who: Entrant): Need<Entrant> => {
    const setup = setupOf(bench, who, comparison);
    return { entry: who, key: processKey(setup), bytes: bench.device === 'cuda' ? gpuNeed(setup) : memoryNeed(setup) };
  };
  const tooLarge = ({ name }: Entrant) =>
    bench.note(`${comparison.case}: ${name} left out: it does not fit into the memory beside ours`);
  const budget = kMemoryShare * (bench.device === 'cuda' ? await freeGpuBytes() : freemem());
  const heats = comparison.together ? [entrants] : planHeats(need(ours), others.map(need), budget, tooLarge);
  const figures: Figure[] = [];
  for (const heat of heats) {
    const known = new Set(figures.map(({ contender }) => contender));
    const measured = await runHeat(bench, comparison, heat);
    figures.push(...measured.filter(({ contender }) => !known.has(contender)));
  }
  const labels = comparison.points.map(({ label }) => label);
  return figures.sort((a, b) => labels.indexOf(a.point) - labels.indexOf(b.point));
}

async function runHeat(bench: Bench, comparison: Comparison, entrants: Entrant[]): Promise<Figure[]> {
  const trials = new Map<string, Trial>();
  try {
    const seats = await openSeats(bench, comparison, entrants, trials);
    const figures: Figure[] = [];
    for (const point of comparison.points) figures.push(...(await runPoint(bench, comparison, point, seats)));
    for (const trial of trials.values()) await trial.close();
    return figures;
  } finally {
    for (const trial of trials.values()) await trial.kill();
  }
}

/** Contenders that cannot take part, or fail to load, are noted and left out. */
async function openSeats(
  bench: Bench,
  comparison: Comparison,
  entrants: Entrant[],
  trials: Map<string, Trial>,
): Promise<Seat[]> {
  const seats: Seat[] = [];
  const opened = new Map<string, number>();
  for (const who of entrants) {
    bench.progress(`${comparison.case}: loading ${who.name}`);
    const setup = setupOf(bench, who, comparison);
    const key = comparison.together ? 'together' : processKey(setup);
    const trial = trials.get(key) ?? new Trial();
    trials.set(key, trial);
    try {
      const at = opened.get(processKey(setup)) ?? (await open(bench, trial, setup, who));
      opened.set(processKey(setup), at);
      seats.push({ entrant: who, trial, at });
    } catch (cause) {
      leaveOut(bench, comparison.case, who.name, cause);
    }
  }
  return seats;
}

async function open(bench: Bench, trial: Trial, setup: Setup, { name }: Entrant): Promise<number> {
  const { at, facts } = await trial.open(setup);
  bench.facts.set(name, facts);
  return at;
}

async function runPoint(bench: Bench, comparison: Comparison, point: Point, seats: Seat[]): Promise<Figure[]> {
  const { case: name } = comparison;
  const values = new Map<Seat, number[]>(seats.map((seat) => [seat, []]));
  const totals = new Map<Seat, number[]>(seats.map((seat) => [seat, []]));
  const failed = new Set<Seat>();
  for (let round = -point.warmups; round < point.samples; round++) {
    bench.progress(`${name}: ${point.label}, sample ${Math.max(0, round + 1)} of ${point.samples}`);
    // Another one begins in each round, so that none always follows the same neighbour.
    for (let turn = 0; turn < seats.length; turn++) {
      const seat = seats[(turn + round + point.warmups) % seats.length] as Seat;
      if (failed.has(seat)) continue;
      try {
        const sample = await takeSample(point, seat, round);
        if (round < 0) continue;
        values.get(seat)?.push(...point.values(sample));
        totals.get(seat)?.push(sample.ms);
      } catch (cause) {
        failed.add(seat);
        leaveOut(bench, name, seat.entrant.name, cause);
      }
    }
  }
  const measured = seats.filter((seat) => !failed.has(seat) && values.get(seat)?.length);
  const figures = measured.map((seat) => {
    const place = { case: name, point: point.label, contender: seat.entrant.name, unit: point.unit };
    const figure = summarise(place, values.get(seat) ?? []);
    const operations = point.operations?.(seat.entrant) ?? null;
    return { ...figure, share: shareOfPeak(bench, seat.entrant, operations, median(totals.get(seat) ?? [])) };
  });
  const ours = figures.find((_, index) => measured[index]?.entrant.engine === 'saferoute');
  return figures.map((figure) => ({ ...figure, ratio: ours === undefined ? null : ours.median / figure.median }));
}

/** Rounds below 0 are warm-ups. */
function takeSample(point: Point, { entrant: who, trial, at }: Seat, round: number): Promise<Sample> {
  const warmup = round < 0 ? point.warmup?.(who) : undefined;
  return trial.run(warmup ?? point.work(round + point.warmups, who), at);
}

/** What has no peak of its own is held against the highest that was measured. */
function shareOfPeak({ peak }: Bench, { weights }: Entrant, operations: number | null, ms: number): number | null {
  if (peak === null || operations === null) return null;
  return operations / ms / (peak.get(weights) ?? Math.max(...peak.values()));
}

/** Contenders that differ only in whether they reuse prefixes share a process, and with it their weights. */
function processKey(setup: Setup): string {
  return JSON.stringify(setup);
}
