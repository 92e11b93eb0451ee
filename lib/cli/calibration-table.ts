/** A calibration as people read it: the thresholds around the chosen one, with what the guards do alone beside them. */

import type { EntropyCalibration } from '../options.js';
import type { Calibration, CandidateFigures } from '../train/calibration.js';
import { targetInWords } from '../train/calibration-target.js';
import type { FlagFigures } from '../train/metrics.js';
import { type Column, tableHead, tableRow } from './table.js';
import { grouped, type Paint, percent } from './terminal.js';

const kNothing = '–';

export function calibrationTable(calibration: Calibration, paint: Paint): string {
  const { bounds, candidates, chosen, calibrated } = calibration;
  const timed = chosen.ms_per_row !== null;
  const columns = columnsOf(calibrated.confidence, timed);
  const lines = candidates.map((candidate) => {
    const marked = candidate.threshold === chosen.threshold;
    const row = tableRow(columns, cellsOf(candidate, marked ? '→' : ' ', timed));
    return marked ? paint('bold', row) : row;
  });
  const alone = (name: string, figures: FlagFigures) =>
    paint('dim', tableRow(columns, ['', name, '', '', ...sharesOf(figures)]));
  return [
    headline(calibration, paint),
    '',
    ...tableHead(columns),
    ...lines,
    alone('small', bounds.small),
    alone('large', bounds.large),
    alone('oracle', bounds.oracle),
    '',
    ...closing(calibration),
    '',
  ].join('\n');
}

function columnsOf(confidence: number, timed: boolean): Column[] {
  const right = (title: string, width: number): Column => ({ title, width, align: 'right' });
  return [
    { title: '', width: 1, align: 'left' },
    { title: 'threshold', width: 10, align: 'left' },
    right('escalated', 9),
    right(`≤ at ${percent(confidence, 0)}`, 9),
    right('F1', 6),
    right('precision', 9),
    right('recall', 6),
    right('FPR', 6),
    right('routing F1', 10),
    right('gain', 7),
    ...(timed ? [right('ms/row', 8)] : []),
  ];
}

function cellsOf(candidate: CandidateFigures, mark: string, timed: boolean): string[] {
  const { threshold, escalated, escalated_at_most, routing_f1, gain, ms_per_row } = candidate;
  return [
    mark,
    String(Number(threshold.toPrecision(8))),
    percent(escalated),
    percent(escalated_at_most),
    ...sharesOf(candidate),
    figure(routing_f1),
    `${gain > 0 ? '+' : ''}${percent(gain)}`,
    ...(timed && ms_per_row !== null ? [ms_per_row.toFixed(2)] : []),
  ];
}

function sharesOf({ f1, precision, recall, fpr }: FlagFigures): string[] {
  return [f1, precision, recall, fpr].map(figure);
}

function headline({ rule, target, rows, chosen }: Calibration, paint: Paint): string {
  const counted = `${grouped(rows.used)} rows, ${grouped(rows.unsafe)} unsafe, ${grouped(rows.hard)} hard`;
  return `${paint('bold', `${rule} > ${chosen.threshold}`)}  for ${targetInWords(target)}, from ${counted}`;
}

function closing({ calibrated, fit, escalation, rows, notes, path }: Calibration): string[] {
  const [low, high] = calibrated.band;
  const lines = [
    `On rows to come between ${percent(low)} and ${percent(high)} are escalated (${percent(calibrated.confidence, 0)} confidence).`,
  ];
  if (escalation.kind === 'entropy' && escalation.calibration && fit) {
    const change = (name: keyof typeof fit.before) => `${figure(fit.before[name])} → ${figure(fit.after[name])}`;
    const fitted = describeFit(escalation.calibration);
    lines.push(`${fitted}: log loss ${change('nll')}, Brier ${change('brier')}, ECE ${change('ece')}.`);
  }
  if (rows.learnt > 0) lines.push(`${grouped(rows.learnt)} rows that the router learnt from do not count.`);
  if (rows.variants > 0) lines.push(`${grouped(rows.variants)} variants of other rows do not count.`);
  lines.push(...notes, path === null ? 'Nothing was written: no --pair was named.' : `Written to ${path}.`);
  return lines;
}

function describeFit(calibration: EntropyCalibration): string {
  return calibration.kind === 'temperature'
    ? `Temperature ${calibration.temperature}`
    : `Prior ${calibration.prior} (${calibration.kind})`;
}

function figure(value: number | null): string {
  return value === null ? kNothing : value.toFixed(3);
}
