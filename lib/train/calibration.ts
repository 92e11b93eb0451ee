/** What `calibrate` is asked for and what it finds, as types. */

import type { CalibrationRecord } from '../checkpoint/pair.js';
import type { Escalation } from '../options.js';
import type { FlagFigures, ScoreErrors } from './metrics.js';

/** A rule whose threshold can be chosen. A benefit router is a router. */
export const kCalibratedRules = ['router', 'entropy', 'entropy+ts', 'entropy+cc', 'entropy+bc'] as const;
export type CalibratedRule = (typeof kCalibratedRules)[number];

/** Of several thresholds that are equally good, each takes the one that escalates least. */
export type CalibrationTarget =
  /** The best F1 of the routed pair. */
  | { kind: 'f1' }
  /** The least escalation at which the pair finds this share of the unsafe rows. */
  | { kind: 'recall'; atLeast: number }
  /** The best F1 among the thresholds whose escalation rate, on rows to come, is at most this, with the confidence asked for. */
  | { kind: 'escalation'; atMost: number }
  /** The same for the mean time of a row, milliseconds, as far as it depends on the escalation rate: small + rate · large. */
  | { kind: 'latency'; atMost: number }
  /** The most rows put right by escalation, less those put wrong: it stops where the large guard no longer helps. */
  | { kind: 'gain' };

/** Median milliseconds of one check, each guard alone. */
export interface GuardLatency {
  small: number;
  large: number;
}

/** The pair under one threshold. */
export interface CandidateFigures extends FlagFigures {
  threshold: number;
  /** Share of the rows that the large guard reads. */
  escalated: number;
  /** The rate on rows to come is at most this, with the calibration's confidence, for this threshold alone. */
  escalated_at_most: number;
  /** Accuracy won over the small guard alone. */
  gain: number;
  routing_f1: number | null;
  /** small + rate · large; null where no latency was given. */
  ms_per_row: number | null;
}

/** How far the small guard's scores are from probabilities, before and after the calibration of their entropy. */
export interface EntropyFit {
  before: ScoreErrors;
  after: ScoreErrors;
}

export interface Calibration {
  rule: CalibratedRule;
  target: CalibrationTarget;
  /** What saferoute.json gets. */
  escalation: Escalation;
  calibrated: CalibrationRecord;
  chosen: CandidateFigures;
  /** Thresholds around the chosen one, it among them, from the strictest on. */
  candidates: CandidateFigures[];
  /** The rows that were calibrated on: one of each group of variants, and none that the router is known to have learnt from. */
  rows: { used: number; variants: number; learnt: number; unsafe: number; hard: number };
  /** The small guard alone, the large guard alone, and the pair if just the hard rows were escalated. */
  bounds: Record<'small' | 'large' | 'oracle', FlagFigures>;
  fit: EntropyFit | null;
  /** The saferoute.json that was written; null where no pair was named. */
  path: string | null;
  /** Sentences on what the figures leave out, or what to think of. */
  notes: string[];
}
