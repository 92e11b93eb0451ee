// Writes a run's results: a JSON file and a chart for each case, named by date and machine.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machineCaption, machineName, type Provenance } from '../machine.js';
import { barChart } from './bar-chart.js';
import type { Figure } from './figure.js';
import type { Outcome } from './targets.js';

export interface Results {
  command: string;
  /** The cases that were asked for; empty: all. */
  cases: string[];
  provenance: Provenance;
  /** What each contender said of itself. */
  contenders: Record<string, Record<string, string | number>>;
  /** Lines about what was left out. */
  notes: string[];
  figures: Figure[];
  targets: Outcome[];
}

/** Returns the paths written. `abouts` gives each case's title. */
export function writeResults(directory: string, results: Results, abouts: ReadonlyMap<string, string>): string[] {
  mkdirSync(directory, { recursive: true });
  const { date, commit, machine } = results.provenance;
  // A run of single cases does not replace the whole run of the same day.
  const stem = [date.slice(0, 10), machineName(machine), ...results.cases].join('-');
  const json = join(directory, `${stem}.json`);
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  const caption = `${machineCaption(machine)}; commit ${commit.slice(0, 9)}; ${results.command}`;
  const written = [json];
  const measured = [...new Set(results.figures.map((figure) => figure.case))];
  // Every run measures the ceiling; it is drawn where it was asked for.
  for (const name of measured.filter((one) => results.cases.length === 0 || results.cases.includes(one))) {
    for (const [unit, figures] of byUnit(results.figures.filter((figure) => figure.case === name))) {
      const path = join(
        directory,
        `${stem}-${name}${unit === null ? '' : `-${unit === '×' ? 'ratio' : unit.replace(/[^a-z]/gi, '')}`}.svg`,
      );
      writeFileSync(path, barChart(abouts.get(name) ?? name, caption, figures));
      written.push(path);
    }
  }
  return written;
}

/** One bar chart has one unit; the unit is null where the case has only one. */
function byUnit(figures: Figure[]): [string | null, Figure[]][] {
  const units = [...new Set(figures.map(({ unit }) => unit))];
  if (units.length === 1) return [[null, figures]];
  return units.map((unit) => [unit, figures.filter((figure) => figure.unit === unit)]);
}
