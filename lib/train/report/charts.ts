/** Every chart of a report, each with the name that it has as a file. */

import type { Plot } from '../../charts/plot.js';
import type { DomainFigures, Evaluation, Histogram, SetEvaluation } from '../evaluation.js';
import { type Cost, curvePlot } from './curve-chart.js';
import { domainName, domainPlot } from './domain-chart.js';
import { histogramPlot } from './histogram-chart.js';
import { reliabilityPlot } from './reliability-chart.js';
import { hardnessCut } from './rules.js';

export type SetCharts = Record<'escalation' | 'latency' | 'small' | 'large' | 'hardness' | 'reliability', Plot | null>;

export interface ReportCharts {
  mean: Record<'escalation' | 'latency', Plot | null>;
  /** As many as there are sets, in their order. */
  sets: SetCharts[];
  /** Of all sets together. */
  domains: Plot | null;
}

const kMaxSlug = 40;

export function chartsOf(evaluation: Evaluation): ReportCharts {
  return {
    mean: {
      escalation: curves('mean', 'the mean over the sets', 'escalated', evaluation.mean),
      latency: curves('mean', 'the mean over the sets', 'ms_per_row', evaluation.mean),
    },
    sets: evaluation.sets.map((set, index) => chartsOfSet(evaluation, set, index)),
    domains: domainPlot('domains', 'Where the large guard helps and hurts', allDomains(evaluation)),
  };
}

/** The charts that there are, under the names of their files. */
export function chartFiles({ mean, sets, domains }: ReportCharts): Plot[] {
  const all = [mean.escalation, mean.latency, ...sets.flatMap((charts) => Object.values(charts)), domains];
  return all.filter((plot) => plot !== null);
}

/** A domain of one of several sets carries the set's name. */
function allDomains({ sets }: Evaluation): DomainFigures[] {
  return sets.flatMap((set) =>
    set.domains.map((domain) => {
      const name = domainName(domain);
      return sets.length === 1 || name === set.name ? { ...domain, name } : { ...domain, name: `${set.name}: ${name}` };
    }),
  );
}

function chartsOfSet(evaluation: Evaluation, set: SetEvaluation, index: number): SetCharts {
  // Names of sets may be alike but for letters that no file name or id should have; the number keeps them apart.
  const key = `${index + 1}${slug(set.name)}`;
  const { unsafe_at: at } = evaluation.pair;
  const scores = (guard: 'small' | 'large', groups: readonly Histogram[]) =>
    histogramPlot(`scores-${guard}-${key}`, `Scores of the ${guard} guard, ${set.name}`, 'score: P(unsafe)', groups, {
      at,
      name: 'unsafe above',
    });
  const cut = hardnessCut(evaluation);
  return {
    escalation: curves(key, set.name, 'escalated', set),
    latency: curves(key, set.name, 'ms_per_row', set),
    small: scores('small', set.scores.small),
    large: scores('large', set.scores.large),
    hardness:
      set.hardness &&
      histogramPlot(
        `hardness-${key}`,
        `Hardness, ${set.name}`,
        'hardness',
        set.hardness,
        cut === null ? null : { at: cut, name: 'escalated above' },
      ),
    reliability: reliabilityPlot(`reliability-${key}`, `Reliability, ${set.name}`, set.reliability),
  };
}

function curves(key: string, of: string, cost: Cost, figures: Evaluation['mean'] | SetEvaluation): Plot | null {
  const against = cost === 'escalated' ? 'escalation' : 'latency';
  return curvePlot(`f1-${against}-${key}`, `F1 against ${against}, ${of}`, cost, figures);
}

function slug(name: string): string {
  const letters = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, kMaxSlug);
  return letters === '' ? '' : `-${letters}`;
}
