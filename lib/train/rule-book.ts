/** Which rules an evaluation runs, and with what: from the pair's own settings, from calibration data, and from the routers that are there. */

import { SafeRouteError } from '../errors.js';
import type { Combine, EntropyCalibration, Escalation } from '../options.js';
import type { TableRows } from './calibration-rows.js';
import { contextualPrior } from './calibrations.js';
import { fitEntropy } from './entropy-fit.js';
import { kEntropyThreshold, kLargeWeight, kRandomShare } from './escalation-rules.js';
import type { RuleBook } from './evaluate-set.js';
import type { FeatureTable } from './feature-table.js';

export interface RuleSources {
  /** The pair's own, as saferoute.json has them. */
  escalation: Escalation | null;
  combine: Combine | null;
  /** What a router is cut at where the pair says nothing else; null: there is no such router. */
  router: number | null;
  benefit: number | null;
  /** Rows that τ and q̄ are fitted on; never those that are judged. */
  calibration: readonly TableRows[] | null;
  /** The small guard's reading of a message without content. */
  contentFree: FeatureTable['contentFree'];
  budget: number | null;
  largeWeight: number | null;
}

const kBudgetShare = 0.2;

/** In the order in which tables show the rules; `notes` names those that had nothing to go by. */
export function ruleBook(sources: RuleSources): { book: RuleBook; notes: string[] } {
  const { escalation, combine, benefit } = sources;
  const notes: string[] = [];
  const entropy = { threshold: entropyThreshold(escalation, null) };
  const router = sources.router === null ? null : { threshold: routerThreshold(escalation, sources.router) };
  const weight = combine?.kind === 'ensemble' ? combine.largeWeight : undefined;
  const share = escalation?.kind === 'budget' ? escalation.share : undefined;
  if (router === null) notes.push('router is left out: the pair has no router. budget and ensemble go by entropy.');
  return {
    book: {
      small: {},
      large: {},
      random: { share: kRandomShare },
      entropy,
      ...calibratedEntropies(sources, notes),
      ...(router && { router }),
      ...(benefit !== null && { benefit: { threshold: benefit } }),
      budget: { share: sources.budget ?? share ?? kBudgetShare },
      ensemble: { ...(router ?? entropy), large_weight: sources.largeWeight ?? weight ?? kLargeWeight },
      oracle: {},
    },
    notes,
  };
}

function calibratedEntropies({ escalation, calibration, contentFree }: RuleSources, notes: string[]): RuleBook {
  const recorded = escalation?.kind === 'entropy' ? (escalation.calibration ?? null) : null;
  const threshold = (kind: EntropyCalibration['kind']) => entropyThreshold(escalation, kind);
  const book: RuleBook = {};
  const temperature = fitted('entropy+ts', notes, () => {
    const fit = calibration ? fitEntropy('entropy+ts', calibration) : recorded;
    return fit?.kind === 'temperature' ? fit.temperature : null;
  });
  const contextual = fitted('entropy+cc', notes, () => {
    if (contentFree) return contextualPrior(contentFree);
    return recorded?.kind === 'contextual' ? recorded.prior : null;
  });
  const batch = fitted('entropy+bc', notes, () => {
    const fit = calibration ? fitEntropy('entropy+bc', calibration) : recorded;
    return fit?.kind === 'batch' ? fit.prior : null;
  });
  if (temperature !== null) book['entropy+ts'] = { threshold: threshold('temperature'), temperature };
  if (contextual !== null) book['entropy+cc'] = { threshold: threshold('contextual'), prior: contextual };
  if (batch !== null) book['entropy+bc'] = { threshold: threshold('batch'), prior: batch };
  return book;
}

const kMissing = {
  'entropy+ts': 'a temperature needs calibration data, and saferoute.json records none',
  'entropy+cc': "the small guard's reading of a message without content is in none of the features",
  'entropy+bc': 'a mean score needs calibration data, and saferoute.json records none',
};

/** null, and a note, where there is nothing to fit or it cannot be fitted. */
function fitted(rule: keyof typeof kMissing, notes: string[], fit: () => number | null): number | null {
  let why = kMissing[rule];
  try {
    const value = fit();
    if (value !== null) return value;
  } catch (error) {
    if (!(error instanceof SafeRouteError && error.code === 'ERR_DATA')) throw error;
    why = error.message;
  }
  notes.push(`${rule} is left out: ${why}.`);
  return null;
}

function routerThreshold(escalation: Escalation | null, fallback: number): number {
  return escalation?.kind === 'router' ? (escalation.threshold ?? fallback) : fallback;
}

/** The pair's threshold is that of its own rule, calibrated or not; the others are cut where the paper does. */
function entropyThreshold(escalation: Escalation | null, kind: EntropyCalibration['kind'] | null): number {
  const own = escalation?.kind === 'entropy' && (escalation.calibration?.kind ?? null) === kind;
  return own ? (escalation.threshold ?? kEntropyThreshold) : kEntropyThreshold;
}
