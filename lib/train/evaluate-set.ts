/** One set: figures and a curve of every rule, the risk bound, domains, and what a report draws of the scores. */

import { boundaryRows } from './boundary.js';
import { areaUnder, f1Curve, kCurveSteps } from './curves.js';
import { domainsOf } from './domains.js';
import { ensembleScores, kRandomShare, planEscalation, rankingOf } from './escalation-rules.js';
import type { CurvePoint, RiskBound, RuleFigures, RuleName, RuleSettings, SetEvaluation } from './evaluation.js';
import type { FeatureTable } from './feature-table.js';
import { histograms, reliability } from './histograms.js';
import { flagsOf, type JudgedRows } from './judged-rows.js';
import { logLosses, riskBound, zeroOneLosses } from './risk-bound.js';
import { type Costs, msPerRow, type Ruling, ruleFigures } from './rule-figures.js';

/** The rules that are run, each with its settings. */
export type RuleBook = Partial<Record<RuleName, RuleSettings>>;

export interface JudgedSet {
  name: string;
  path: string;
  table: Pick<FeatureTable, 'ids' | 'source' | 'sources'>;
  rows: JudgedRows;
  costs: Costs;
}

/** A score above `unsafeAt` is unsafe. Domains are tested one by one; `correctDomains` makes one family of those of all sets. */
export function evaluateSet(
  { name, path, table, rows, costs }: JudgedSet,
  book: RuleBook,
  unsafeAt: number,
): SetEvaluation {
  const rules: Partial<Record<RuleName, RuleFigures>> = {};
  const curves: Partial<Record<RuleName, CurvePoint[]>> = {};
  const area: Partial<Record<RuleName, number | null>> = {};
  for (const [rule, settings] of Object.entries(book) as [RuleName, RuleSettings][]) {
    const escalated = escalatedRows(rule, rows, settings, unsafeAt);
    rules[rule] = ruleFigures(rule, rows, { chances: chancesOf(rule, rows, settings), escalated }, costs);
    if (rule === 'small' || rule === 'large') continue;
    const values = f1Curve({
      labels: rows.labels,
      kept: rows.small.flags,
      escalated: escalated.flags,
      ranking: curveRanking(rule, rows, settings),
    });
    curves[rule] = values.map((f1, step) => curvePoint(rule, f1, step / kCurveSteps, costs));
    area[rule] = areaUnder(values);
  }
  const judge: RuleName = book.router ? 'router' : 'entropy';
  const { threshold = 0.5 } = book[judge] ?? {};
  return {
    name,
    path,
    rows: rows.labels.length,
    unsafe: rows.labels.reduce((sum, label) => sum + label, 0),
    hard: rows.hard.reduce((sum, one) => sum + one, 0) / rows.labels.length,
    latency_ms: costs.latency,
    rules,
    curves,
    area,
    bounds: bounds(judge, rows, book[judge] ?? {}),
    domains: domainsOf(table, rows),
    scores: {
      small: histograms(rows.small.scores, rows.labels, ['safe', 'unsafe']),
      large: histograms(rows.large.scores, rows.labels, ['safe', 'unsafe']),
    },
    hardness: rows.hardness && histograms(rows.hardness, rows.hard, ['easy', 'hard']),
    reliability: {
      small: reliability(rows.small.scores, rows.labels),
      large: reliability(rows.large.scores, rows.labels),
    },
    boundary: boundaryRows(table, rows, curveRanking(judge, rows, book[judge] ?? {}), threshold),
  };
}

/** `(rows)`. The random rule's are chances, not draws: its figures are expected values, the same in every run. */
function chancesOf(rule: RuleName, rows: JudgedRows, settings: RuleSettings): Float64Array {
  if (rule === 'random') return new Float64Array(rows.labels.length).fill(kRandomShare);
  return Float64Array.from(requirePlan(rule, planEscalation(rule, rows, settings)).goes);
}

/** `(rows)`: all alike for the random rule, so that its curve is the expected one. */
function curveRanking(rule: RuleName, rows: JudgedRows, settings: RuleSettings): Float64Array {
  if (rule === 'random') return new Float64Array(rows.labels.length);
  return requirePlan(rule, rankingOf(rule, rows, settings));
}

function requirePlan<T>(rule: RuleName, plan: T | null): T {
  if (plan === null) throw new Error(`the rule '${rule}' is in the book without what it goes by`);
  return plan;
}

function escalatedRows(
  rule: RuleName,
  rows: JudgedRows,
  settings: RuleSettings,
  unsafeAt: number,
): Ruling['escalated'] {
  if (rule !== 'ensemble') return rows.large;
  const scores = ensembleScores(rows, settings.large_weight ?? 1);
  return { scores, flags: flagsOf(scores, unsafeAt) };
}

function curvePoint(rule: RuleName, f1: number | null, escalated: number, { latency }: Costs): CurvePoint {
  return { escalated, f1, ms_per_row: latency && msPerRow(rule, latency, escalated) };
}

function bounds(rule: RuleName, rows: JudgedRows, settings: RuleSettings): RiskBound[] {
  const { labels, small, large, hard } = rows;
  const escalated = requirePlan(rule, planEscalation(rule, rows, settings)).goes;
  const log = { small: logLosses(labels, small.margins), large: logLosses(labels, large.margins) };
  const zeroOne = { small: zeroOneLosses(labels, small.flags), large: zeroOneLosses(labels, large.flags) };
  return [
    riskBound(rule, 'log', { ...log, escalated, hard }),
    riskBound(rule, 'zero-one', { ...zeroOne, escalated, hard }),
  ];
}
