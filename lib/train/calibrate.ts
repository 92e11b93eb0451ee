/** Chooses the threshold at which a pair's rule escalates, from rows that both guards have read, and writes it into saferoute.json. */

import { openRouter, type RouterFile } from '../checkpoint/index.js';
import { rangeError, SafeRouteError, throwIfAborted } from '../errors.js';
import { loadAddon, type NativeAddon } from '../native.js';
import type { EntropyCalibration, Escalation } from '../options.js';
import { type CalibrateOptions, type CalibrateRequest, parseCalibrateOptions } from './calibrate-options.js';
import { calibrateRows } from './calibrate-rows.js';
import type { CalibratedRule, Calibration } from './calibration.js';
import { chooseRows, chosenOf, countOf, requireTogether, strataOf, type TableRows } from './calibration-rows.js';
import { promisesRate } from './calibration-target.js';
import { entropyFit, fitEntropy } from './entropy-fit.js';
import { ensembleScores, kLargeWeight, rankingOf } from './escalation-rules.js';
import type { RuleSettings } from './evaluation.js';
import type { FeatureTable } from './feature-table.js';
import { openFeatures } from './features-reader.js';
import { hardnessOf } from './hardness.js';
import { flagsOf, judgeRows } from './judged-rows.js';
import { requireReadByPair } from './pair-guards.js';
import { findPair, type PairFile, writePair } from './pair-writer.js';
import type { SweptRows } from './threshold-sweep.js';

type GetAddon = () => Pick<NativeAddon, 'routeFeatures' | 'int8Weights'>;

const kUnsafeAt = 0.5;

/**
 * `features`: files that `label` wrote. Of the very file that a router of ours was trained on, just the rows count that were kept from it. The
 * pair's saferoute.json, if one is named, gets `escalation` and `calibrated`. Rejects with ERR_DATA where the rows cannot be calibrated on
 * or no threshold meets the target, naming the nearest that can be had; then nothing is written.
 */
export async function calibrate(features: string | string[], options: CalibrateOptions): Promise<Calibration> {
  return calibrateWith(features, options, loadAddon);
}

/** `calibrate` over any addon of the native shape; it is loaded where a router reads features or a guard's weights are compared. */
export async function calibrateWith(
  features: string | string[],
  options: CalibrateOptions,
  getAddon: GetAddon,
): Promise<Calibration> {
  const request = parseCalibrateOptions(features, options);
  const file = request.pair === null ? null : await findPair(request.pair);
  requireLarge(file);
  const router = await openRule(request, file);
  const rule = request.rule ?? (router ? 'router' : 'entropy');
  const { rows, fitRows } = await openRows(request, rule, router);
  const [{ table }] = rows as [TableRows];
  if (file?.pair) await requireReadByPair(file.pair, table, getAddon);
  const calibration = fitEntropy(rule, fitRows);
  const swept = await sweptRows(request, rows, { rule, router, calibration, file, getAddon });
  const found = calibrateRows(swept, request.target, request);
  const escalation = escalationOf(rule, found.chosen.threshold, calibration);
  throwIfAborted(request.signal);
  if (file) {
    const guards = { small: table.small.dir, large: table.large.dir };
    const named = request.router === null ? undefined : router?.path;
    await writePair(file, { escalation, calibrated: found.calibrated, router: named, guards });
  }
  return {
    rule,
    target: request.target,
    escalation,
    ...found,
    rows: rowCounts(rows, swept),
    fit: calibration && entropyFit(calibration, fitRows),
    path: file?.path ?? null,
    notes: notesOn(request, found.chosen.escalated),
  };
}

interface RuleInForce {
  rule: CalibratedRule;
  router: RouterFile | null;
  calibration: EntropyCalibration | null;
  file: PairFile | null;
  getAddon: GetAddon;
}

/** The router that the rule goes by; null for an entropy rule. */
async function openRule({ rule, router }: CalibrateRequest, file: PairFile | null): Promise<RouterFile | null> {
  if (rule !== null && rule !== 'router') {
    if (router !== null) throw rangeError('options.rule', "'router', since a router is given", rule);
    return null;
  }
  const path = router ?? file?.pair?.router ?? null;
  if (path !== null) return openRouter(path);
  if (rule === null) return null;
  throw new SafeRouteError('ERR_DATA', "the rule 'router' needs a router: none was named, and the pair has none");
}

function requireLarge(file: PairFile | null): void {
  if (file?.pair?.large === null) {
    throw new SafeRouteError(
      'ERR_SPEC',
      `${file.path}: 'large' is missing; a pair without a large guard escalates nothing`,
    );
  }
}

/** The rows to calibrate on, and those to fit temperature or prior on. */
async function openRows(
  request: CalibrateRequest,
  rule: CalibratedRule,
  router: RouterFile | null,
): Promise<{ rows: TableRows[]; fitRows: TableRows[] }> {
  const { features, fit, target } = request;
  if (rule === 'entropy+bc' && fit === null && promisesRate(target)) {
    // Unlike a temperature, which keeps the order of the rows, a prior from the same rows makes their entropies depend on each other.
    throw new SafeRouteError(
      'ERR_DATA',
      `a target of ${target.kind} promises a rate for rows to come; with entropy+bc the prior must then be fitted on other rows (fit)`,
    );
  }
  const tables: FeatureTable[] = [];
  const files = [...features, ...(fit ?? [])];
  for (const path of files) {
    throwIfAborted(request.signal);
    request.onProgress({ path, done: tables.length, files: files.length });
    tables.push(await openFeatures(path));
  }
  requireTogether(tables);
  const rows = chooseRows(tables.slice(0, features.length), router);
  return { rows, fitRows: fit === null ? rows : chooseRows(tables.slice(features.length)) };
}

/** What the rule and both guards say of the rows. */
async function sweptRows(request: CalibrateRequest, rows: TableRows[], inForce: RuleInForce): Promise<SweptRows> {
  const judged: JudgedTable[] = [];
  for (const { table } of rows) {
    throwIfAborted(request.signal);
    judged.push(await judgeTable(table, inForce));
  }
  const column = (name: keyof JudgedTable) => (_: FeatureTable, place: number) => (judged[place] as JudgedTable)[name];
  return {
    labels: chosenOf(rows, Int8Array, ({ label }) => label),
    ranking: chosenOf(rows, Float64Array, column('ranking')),
    kept: chosenOf(rows, Uint8Array, column('kept')),
    escalated: chosenOf(rows, Uint8Array, column('escalated')),
    stratum: request.balanced ? strataOf(rows) : new Int32Array(countOf(rows)),
  };
}

type JudgedTable = Pick<SweptRows, 'ranking' | 'kept' | 'escalated'>;

/** Every row of the table, by the pair's own cut and its own way to combine both guards. */
async function judgeTable(
  table: FeatureTable,
  { rule, router, calibration, file, getAddon }: RuleInForce,
): Promise<JudgedTable> {
  const unsafeAt = file?.pair?.unsafeAt ?? kUnsafeAt;
  const combine = file?.pair?.valves.combine;
  const hardness = router && (await hardnessOf(table, router, getAddon()));
  const rows = judgeRows(table, unsafeAt, { hardness, benefit: null });
  const escalated =
    combine?.kind === 'ensemble'
      ? flagsOf(ensembleScores(rows, combine.largeWeight ?? kLargeWeight), unsafeAt)
      : rows.large.flags;
  return { ranking: rankingOf(rule, rows, settingsOf(calibration)) as Float64Array, kept: rows.small.flags, escalated };
}

function settingsOf(calibration: EntropyCalibration | null): RuleSettings {
  if (calibration === null) return {};
  return calibration.kind === 'temperature' ? { temperature: calibration.temperature } : { prior: calibration.prior };
}

function escalationOf(rule: CalibratedRule, threshold: number, calibration: EntropyCalibration | null): Escalation {
  if (rule === 'router') return { kind: 'router', threshold };
  return { kind: 'entropy', threshold, ...(calibration && { calibration }) };
}

function rowCounts(rows: readonly TableRows[], { labels, kept, escalated }: SweptRows): Calibration['rows'] {
  const all = rows.reduce((sum, { table }) => sum + table.rows, 0);
  const learnt = rows.reduce((sum, table) => sum + table.learnt, 0);
  return {
    used: labels.length,
    variants: all - learnt - labels.length,
    learnt,
    unsafe: labels.reduce((sum, label) => sum + label, 0),
    hard: labels.filter((label, row) => kept[row] !== label && escalated[row] === label).length,
  };
}

function notesOn({ balanced, target }: CalibrateRequest, escalated: number): string[] {
  const notes: string[] = [];
  if (escalated === 0) {
    notes.push(
      'The pair does best when nothing is escalated: on such rows the large guard brings nothing that the rule can find.',
    );
  }
  if (promisesRate(target))
    notes.push('The promised rate holds for rows drawn as these were, not for traffic that drifts.');
  if (balanced) notes.push('Every source weighs the same; the rate is that of a mix of equal parts.');
  return notes;
}
