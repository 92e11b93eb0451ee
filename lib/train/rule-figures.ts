/** Figures of flags and scores, and of what a rule of escalation makes of both guards' flags and scores. */

import type { Classification, Confusion, Latency, RuleFigures, RuleName } from './evaluation.js';
import type { GuardRows, JudgedRows } from './judged-rows.js';
import { averagePrecision, cellOf, classify, figuresOf } from './metrics.js';

/** `(rows)` each. */
export interface Ruling {
  /** Chance that the row is escalated: 0 or 1, and ½ for the random rule, whose figures are expected ones. */
  chances: Float64Array;
  /** What an escalated row gets: the large guard's score, or one of both guards'. */
  escalated: Pick<GuardRows, 'scores' | 'flags'>;
}

/** What a reading by each guard costs. */
export interface Costs {
  latency: Latency | null;
  /** Floating-point operations of every row, `(rows)` each. */
  flop: { small: Float64Array; large: Float64Array } | null;
}

/** `(rows)` each. */
export function classified(labels: Int8Array, { scores, flags }: Pick<GuardRows, 'scores' | 'flags'>): Classification {
  return { ...classify(labels, flags), auprc: averagePrecision(labels, scores) };
}

export function ruleFigures(rule: RuleName, rows: JudgedRows, ruling: Ruling, costs: Costs): RuleFigures {
  const escalated = mean(ruling.chances);
  return {
    ...figuresOf(expectedConfusion(rows, ruling)),
    auprc: expectedPrecision(rows, ruling),
    escalated,
    routing_f1: rule === 'small' || rule === 'large' ? null : routingF1(rows.hard, ruling.chances),
    ms_per_row: costs.latency && msPerRow(rule, costs.latency, escalated),
    flop_per_row: costs.flop && flopPerRow(rule, costs.flop, ruling.chances),
  };
}

/** `large` skips the small guard, every other rule goes through it. */
export function msPerRow(rule: RuleName, { small, large }: Latency, escalated: number): number {
  return (rule === 'large' ? 0 : small) + escalated * large;
}

/** Σ of the chance that each row ends in a cell. */
function expectedConfusion({ labels, small }: JudgedRows, { chances, escalated }: Ruling): Confusion {
  const confusion: Confusion = { tp: 0, fp: 0, tn: 0, fn: 0 };
  for (let row = 0; row < labels.length; row++) {
    const [label, chance] = [labels[row] as number, chances[row] as number];
    confusion[cellOf(label, small.flags[row] as number)] += 1 - chance;
    confusion[cellOf(label, escalated.flags[row] as number)] += chance;
  }
  return confusion;
}

/** AUPRC of the scores that decide. Where chance does, a row counts with both of its scores: at ½ for every row, with the weight of each. */
function expectedPrecision({ labels, small }: JudgedRows, { chances, escalated }: Ruling): number | null {
  const counted: { label: number; score: number }[] = [];
  for (let row = 0; row < labels.length; row++) {
    const [label, chance] = [labels[row] as number, chances[row] as number];
    if (chance < 1) counted.push({ label, score: small.scores[row] as number });
    if (chance > 0) counted.push({ label, score: escalated.scores[row] as number });
  }
  return averagePrecision(
    Int8Array.from(counted, ({ label }) => label),
    Float64Array.from(counted, ({ score }) => score),
  );
}

/** F1 of the picks against the hard rows; null where none is hard, since then no pick is right. */
function routingF1(hard: Uint8Array, chances: Float64Array): number | null {
  const found = chances.reduce((sum, chance, row) => sum + chance * (hard[row] as number), 0);
  const wanted = hard.reduce((sum, one) => sum + one, 0);
  return wanted === 0 ? null : (2 * found) / (wanted + chances.reduce((sum, chance) => sum + chance, 0));
}

function flopPerRow(rule: RuleName, { small, large }: NonNullable<Costs['flop']>, chances: Float64Array): number {
  return (rule === 'large' ? 0 : mean(small)) + mean(large.map((flop, row) => flop * (chances[row] as number)));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
