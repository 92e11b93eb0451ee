/** The threshold that meets a target on rows with a ranking, and the figures around it. Pure: no files, no guards. */

import { SafeRouteError } from '../errors.js';
import type { Calibration, CalibrationTarget, CandidateFigures, GuardLatency } from './calibration.js';
import { chooseCandidate, type TargetTerms, targetInWords } from './calibration-target.js';
import { certifiableLimit, rateBand } from './learn-then-test.js';
import { type Candidate, type SweptRows, stratifiedFigures, sweepThresholds } from './threshold-sweep.js';

export type Threshold = Pick<Calibration, 'calibrated' | 'chosen' | 'candidates' | 'bounds'>;

/** How far from the chosen rate the shown candidates lie. */
const kStepsAround = [-0.2, -0.1, -0.05, -0.02, -0.01, 0, 0.01, 0.02, 0.05, 0.1, 0.2];

/** Throws ERR_DATA where no threshold can tell rows apart, none is worth telling apart, or none meets the target. */
export function calibrateRows(rows: SweptRows, target: CalibrationTarget, terms: TargetTerms): Threshold {
  requireWorth(rows);
  const candidates = sweepThresholds(rows);
  const chosen = chooseCandidate(candidates, target, terms);
  const figures = (candidate: Candidate) => candidateFigures(candidate, candidates[0] as Candidate, terms);
  const { rate } = chosen.sample;
  const oracle = rows.kept.map(
    (flag, row) => (rows.escalated[row] === rows.labels[row] ? rows.escalated[row] : flag) as number,
  );
  return {
    calibrated: {
      rows: chosen.sample.rows,
      rate: rounded(rate),
      band: rateBand(chosen.sample, terms.confidence).map(rounded) as [number, number],
      confidence: terms.confidence,
      target: targetInWords(target),
    },
    chosen: figures(chosen),
    candidates: candidatesAround(candidates, chosen).map(figures),
    bounds: {
      small: stratifiedFigures(rows.labels, rows.kept, rows.stratum),
      large: stratifiedFigures(rows.labels, rows.escalated, rows.stratum),
      oracle: stratifiedFigures(rows.labels, oracle, rows.stratum),
    },
  };
}

function candidateFigures(
  { threshold, sample, pair, routing }: Candidate,
  nobody: Candidate,
  { confidence, latency }: { confidence: number; latency: GuardLatency | null },
): CandidateFigures {
  return {
    threshold,
    escalated: sample.rate,
    escalated_at_most: certifiableLimit(sample, 1 - confidence),
    gain: pair.accuracy - nobody.pair.accuracy,
    routing_f1: routing.f1,
    ms_per_row: latency && latency.small + sample.rate * latency.large,
    ...pair,
  };
}

/** The chosen one, and those whose rates are nearest to each step around it; no two the same. */
function candidatesAround(candidates: readonly Candidate[], chosen: Candidate): Candidate[] {
  const places = kStepsAround
    .map((step) => chosen.sample.rate + step)
    .filter((rate) => rate > -0.05 && rate < 1.05)
    .map((rate) => nearestPlace(candidates, rate));
  const around = [...new Set([...places, candidates.indexOf(chosen)])].sort((a, b) => a - b);
  return around.map((place) => candidates[place] as Candidate);
}

/** By halving: the rates rise. */
function nearestPlace(candidates: readonly Candidate[], rate: number): number {
  let [low, high] = [0, candidates.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((candidates[middle] as Candidate).sample.rate <= rate) low = middle;
    else high = middle;
  }
  const distance = (place: number) => Math.abs((candidates[place] as Candidate).sample.rate - rate);
  return distance(low) <= distance(high) ? low : high;
}

function requireWorth({ labels, ranking, kept, escalated }: SweptRows): void {
  const refuse = (problem: string) => {
    throw new SafeRouteError('ERR_DATA', problem);
  };
  if (ranking.every((value) => value === ranking[0])) {
    refuse(`the rule gives all ${ranking.length} rows the same score, ${ranking[0]}; no threshold tells them apart`);
  }
  const hard = labels.some((label, row) => kept[row] !== label && escalated[row] === label);
  if (!hard) {
    refuse(
      `none of the ${labels.length} rows is hard: the large guard puts right nothing that the small one gets wrong`,
    );
  }
}

/** As saferoute.json has it. */
function rounded(rate: number): number {
  return Number(rate.toFixed(6));
}
