/** Judges a pair: figures of every rule of escalation on sets of labelled rows, what they cost, and where escalation helps or hurts. */

import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RouterFile } from '../checkpoint/index.js';
import { throwIfAborted } from '../errors.js';
import { chooseRows, requireSamePair } from './calibration-rows.js';
import { flopPerToken } from './compute.js';
import { correctDomains } from './domains.js';
import { type EvaluateOptions, type EvaluatePlan, parseEvaluateOptions } from './evaluate-options.js';
import { evaluateSet, type RuleBook } from './evaluate-set.js';
import { type EvaluatedPair, openEvaluatedPair, requireReadByBoth } from './evaluated-pair.js';
import type { Evaluation, SetEvaluation } from './evaluation.js';
import { notesOn } from './evaluation-notes.js';
import type { FeatureTable } from './feature-table.js';
import { openFeatures } from './features-reader.js';
import { hardnessOf } from './hardness.js';
import { judgeRows } from './judged-rows.js';
import { latencyOf, type Timings } from './pair-latency.js';
import { ruleBook } from './rule-book.js';
import type { Costs } from './rule-figures.js';
import { meansOver } from './set-means.js';
import { type OpenedSet, openSets } from './set-tables.js';
import { timeSets } from './time-sets.js';
import { pick } from './unseen-rows.js';

/**
 * Labelled rows are read by both guards first. Rejects with ERR_DATA where data or features can't be judged by, ERR_SPEC for a pair without a
 * large guard, and what loading the pair rejects with.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const plan = parseEvaluateOptions(options);
  const pair = await openEvaluatedPair(plan);
  const folder = plan.work ?? (await mkdtemp(join(tmpdir(), 'saferoute-evaluate-')));
  try {
    const sets = await openSets(plan, pair, folder);
    const { book, notes } = await openBook(plan, pair, sets);
    const timings = plan.latencyPrompts === 0 ? null : await timeSets(plan, pair, sets);
    const flop = await flopOf(pair);
    const judged = await judgeSets(
      plan,
      pair,
      sets,
      book,
      sets.map((_, place) => costsOf(sets, place, timings, flop)),
    );
    return {
      format: 'saferoute-evaluation/1',
      created: new Date().toISOString(),
      pair: described(pair),
      machine: machine(pair),
      settings: book,
      notes: [...notes, ...notesOn(sets, pair, { timed: timings !== null, computeIsKnown: flop !== null })],
      latency_ms: timings && latencyOf(together(timings)),
      sets: judged,
      mean: meansOver(judged),
    };
  } finally {
    if (plan.work === null) await rm(folder, { recursive: true, force: true });
  }
}

async function openBook(
  { calibration, budget, largeWeight }: EvaluatePlan,
  pair: EvaluatedPair,
  sets: readonly OpenedSet[],
): Promise<{ book: RuleBook; notes: string[] }> {
  const fit = calibration === null ? null : await openFeatures(calibration);
  if (fit !== null) {
    requireReadByBoth(pair, fit);
    requireSamePair((sets[0] as OpenedSet).file, fit);
  }
  const tables = [...(fit ? [fit] : []), ...sets.map(({ file }) => file)];
  return ruleBook({
    escalation: pair.plan.escalation,
    combine: pair.plan.valves.combine ?? null,
    router: pair.router?.defaultThreshold ?? null,
    benefit: pair.benefit?.defaultThreshold ?? null,
    calibration: fit && chooseRows([fit]),
    contentFree: tables.find(({ contentFree }) => contentFree)?.contentFree ?? null,
    budget,
    largeWeight,
  });
}

async function judgeSets(
  { signal, onProgress }: EvaluatePlan,
  { plan, router, benefit }: EvaluatedPair,
  sets: readonly OpenedSet[],
  book: RuleBook,
  costs: readonly Costs[],
): Promise<SetEvaluation[]> {
  const judged: SetEvaluation[] = [];
  for (const [place, { name, path, file, chosen, table }] of sets.entries()) {
    throwIfAborted(signal);
    onProgress({ stage: 'judge', set: name, done: place, total: sets.length, secondsLeft: null });
    const rows = judgeRows(table, plan.unsafeAt, {
      hardness: await readBy(router, file, chosen),
      benefit: await readBy(benefit, file, chosen),
    });
    judged.push(evaluateSet({ name, path, table, rows, costs: costs[place] as Costs }, book, plan.unsafeAt));
  }
  correctDomains(judged);
  return judged;
}

/** `(chosen)` */
async function readBy(router: RouterFile | null, file: FeatureTable, chosen: Int32Array): Promise<Float32Array | null> {
  return router && pick(await hardnessOf(file, router), chosen);
}

interface Flop {
  small: number;
  large: number;
}

async function flopOf({ plan }: EvaluatedPair): Promise<Flop | null> {
  const [small, large] = await Promise.all([flopPerToken(plan.small.dir), flopPerToken(plan.large.dir)]);
  return small === null || large === null ? null : { small, large };
}

function costsOf(sets: readonly OpenedSet[], place: number, timings: Timings[] | null, flop: Flop | null): Costs {
  const { tokens } = (sets[place] as OpenedSet).table;
  const times = (counts: Int32Array, each: number) => Float64Array.from(counts, (count) => count * each);
  return {
    latency: timings && latencyOf(timings[place] as Timings),
    flop: flop && { small: times(tokens.small, flop.small), large: times(tokens.large, flop.large) },
  };
}

function together(timings: readonly Timings[]): Timings {
  return { small: timings.flatMap(({ small }) => small), large: timings.flatMap(({ large }) => large) };
}

function described({ plan, router, benefit }: EvaluatedPair): Evaluation['pair'] {
  const { small, large, escalation, unsafeAt } = plan;
  return {
    small: small.dir,
    large: large.dir,
    router: router?.path ?? null,
    benefit: benefit?.path ?? null,
    escalation: escalation ?? (router && { kind: 'router', threshold: router.defaultThreshold }),
    unsafe_at: unsafeAt,
  };
}

function machine({ plan, guards }: EvaluatedPair): Evaluation['machine'] {
  const { threads } = plan.settings;
  const { precision } = guards?.small.settings ?? plan.settings;
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    threads: threads === 0 ? availableParallelism() : threads,
    precision,
  };
}
