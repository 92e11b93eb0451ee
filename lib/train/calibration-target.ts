/** Which candidate threshold meets a target best; where none does, the error says the nearest that can be had. */

import { SafeRouteError } from '../errors.js';
import type { CalibrationTarget, GuardLatency } from './calibration.js';
import { certifiableLimit, certifiedCount, rowsNeeded } from './learn-then-test.js';
import type { Candidate } from './threshold-sweep.js';

export interface TargetTerms {
  /** That a promised escalation rate holds. */
  confidence: number;
  latency: GuardLatency | null;
}

/** `candidates` in the order of falling thresholds, the first escalating nobody. Throws ERR_DATA where none meets the target. */
export function chooseCandidate(
  candidates: readonly Candidate[],
  target: CalibrationTarget,
  terms: TargetTerms,
): Candidate {
  switch (target.kind) {
    case 'f1':
      return best(candidates, f1Of);
    case 'gain':
      return chooseByGain(candidates);
    case 'recall':
      return chooseByRecall(candidates, target.atLeast);
    case 'escalation':
      return chooseWithin(candidates, target.atMost, terms.confidence, (limit) => `escalation at most ${shown(limit)}`);
    case 'latency':
      return chooseByLatency(candidates, target.atMost, terms);
  }
}

/** "escalation at most 0.2", for the record in saferoute.json and for people. */
export function targetInWords(target: CalibrationTarget): string {
  switch (target.kind) {
    case 'f1':
      return 'best F1';
    case 'gain':
      return 'most rows put right';
    case 'recall':
      return `recall at least ${target.atLeast}`;
    case 'escalation':
      return `escalation at most ${target.atMost}`;
    case 'latency':
      return `latency at most ${target.atMost} ms`;
  }
}

/** Whether the target promises a rate for rows to come, not just for these. */
export function promisesRate({ kind }: CalibrationTarget): boolean {
  return kind === 'escalation' || kind === 'latency';
}

function chooseByGain(candidates: readonly Candidate[]): Candidate {
  const chosen = best(candidates, ({ pair }) => pair.accuracy);
  if (chosen !== candidates[0]) return chosen;
  const { threshold, pair, sample } = best(candidates.slice(1), ({ pair }) => pair.accuracy);
  const lost = (candidates[0] as Candidate).pair.accuracy - pair.accuracy;
  return refuse(
    `escalating puts no more rows right than wrong at any threshold; nearest is ${threshold}, which escalates ${percent(sample.rate)} ` +
      `and changes the accuracy by ${shown(-lost)}. Switch escalation off for such traffic ("kind": "never")`,
  );
}

function chooseByRecall(candidates: readonly Candidate[], atLeast: number): Candidate {
  const chosen = candidates.find(({ pair }) => (pair.recall ?? 0) >= atLeast);
  if (chosen) return chosen;
  const { threshold, pair, sample } = best(candidates, (one) => one.pair.recall ?? 0);
  return refuse(
    `recall at least ${atLeast} cannot be had; the best is ${shown(pair.recall ?? 0)}, at threshold ${threshold}, which escalates ${percent(sample.rate)}`,
  );
}

function chooseByLatency(candidates: readonly Candidate[], atMost: number, terms: TargetTerms): Candidate {
  const { latency, confidence } = terms;
  if (latency === null) {
    return refuse(`latency at most ${atMost} ms needs the guards' measured medians: none were given`);
  }
  const { small, large } = latency;
  const inWords = (limit: number) => `latency at most ${shown(small + limit * large)} ms`;
  if (atMost <= small)
    return refuse(`${inWords((atMost - small) / large)} cannot be had; the small guard alone takes ${small} ms`);
  return chooseWithin(candidates, Math.min(1, (atMost - small) / large), confidence, inWords);
}

/** The best F1 among those certified to escalate at most `limit`; `inWords` puts a limit as the target does. */
function chooseWithin(
  candidates: readonly Candidate[],
  limit: number,
  confidence: number,
  inWords: (limit: number) => string,
): Candidate {
  const delta = 1 - confidence;
  const samples = candidates.map(({ sample }) => sample);
  const certified = limit >= 1 ? candidates.length : certifiedCount(samples, limit, delta);
  if (certified > 1) return best(candidates.slice(0, certified), f1Of);
  const { threshold, sample } = candidates[1] as Candidate;
  const rows = sample.squares === null ? rowsNeeded(limit, delta) : 0;
  const tooFew = sample.rows < rows ? `; it takes ${rows} rows or more, these are ${sample.rows}` : '';
  return refuse(
    `${inWords(limit)} cannot be promised with a confidence of ${confidence} from ${sample.rows} rows; nearest is ` +
      `${inWords(certifiableLimit(sample, delta))}, at threshold ${threshold}, which escalates ${percent(sample.rate)} of these${tooFew}`,
  );
}

/** The first of the highest value: the one of them that escalates least. */
function best(candidates: readonly Candidate[], measure: (candidate: Candidate) => number): Candidate {
  return candidates.reduce((first, next) => (measure(next) > measure(first) ? next : first));
}

function f1Of({ pair }: Candidate): number {
  return pair.f1 ?? 0;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function refuse(problem: string): never {
  throw new SafeRouteError('ERR_DATA', problem);
}
