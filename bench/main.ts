// `npm run bench`: runs cases, prints their tables, and leaves a JSON file and charts in bench/results.
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { kUsage, parseArguments } from './arguments.js';
import type { Bench } from './cases/case.js';
import { kCeiling, measureCeiling, peakOf } from './cases/ceiling.js';
import { kCases } from './cases/index.js';
import { kEntrantNames } from './contenders/entrants.js';
import { provenance } from './machine.js';
import { ProgressLine } from './progress-line.js';
import type { Figure } from './report/figure.js';
import { writeResults } from './report/results.js';
import { alignedTable, figureTable, number } from './report/table.js';
import { kTargets, type Outcome, outcomes } from './report/targets.js';

const kEveryCase = [kCeiling, ...kCases];
const kResults = join(import.meta.dirname, 'results');

async function main(argv: string[]): Promise<void> {
  const chosen = parseArguments(argv, { cases: kEveryCase.map(({ name }) => name), contenders: kEntrantNames });
  if (chosen.help) {
    const lines = kEveryCase.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`);
    console.log(`${kUsage}\ncases\n${lines.join('\n')}\n\ncontenders\n  ${kEntrantNames.join(', ')}`);
    return;
  }
  // Taken before anything is measured: the tree may change while the run lasts.
  const from = provenance();
  const progress = new ProgressLine(process.stderr);
  const notes: string[] = [];
  const facts: Bench['facts'] = new Map();
  const note = (line: string) => {
    notes.push(line);
    progress.keep(line);
  };
  const bench = {
    effort: chosen.effort,
    threads: availableParallelism(),
    chosen: chosen.contenders,
    peak: null,
    facts,
    note,
    progress: (line: string) => progress.show(line),
  };
  const figures = await runCases(bench, chosen.cases, progress);
  const targets = outcomes(kTargets, figures);
  if (targets.length > 0) console.log(`\n${targetTable(targets)}`);
  if (chosen.dry) return;
  const { cases } = chosen;
  const command = ['npm run bench', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' ');
  const results = { command, cases, provenance: from, contenders: Object.fromEntries(facts), notes, figures, targets };
  const abouts = new Map(kEveryCase.map(({ name, about }) => [name, about]));
  for (const path of writeResults(kResults, results, abouts)) console.log(relative(process.cwd(), path));
}

/** The ceiling and then the cases named, or all; each prints its table when it is done. */
async function runCases(start: Bench, names: readonly string[], progress: ProgressLine): Promise<Figure[]> {
  const figures = await measureCeiling(start);
  show(progress, kCeiling.about, figures);
  const bench: Bench = { ...start, peak: peakOf(figures) };
  for (const { name, about, quick, run } of kCases) {
    if (names.length > 0 ? !names.includes(name) : start.effort === 'quick' && !quick) continue;
    try {
      const measured = await run(bench);
      show(progress, about, measured);
      figures.push(...measured);
    } catch (cause) {
      // The figures of the other cases are worth keeping.
      bench.note(`${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`);
      process.exitCode = 1;
    }
  }
  progress.clear();
  return figures;
}

function show(progress: ProgressLine, about: string, figures: readonly Figure[]): void {
  progress.clear();
  if (figures.length > 0) console.log(`\n${about}\n\n${figureTable(figures)}`);
}

function targetTable(targets: readonly Outcome[]): string {
  const rows = targets.map(({ about, point, bound, limit, value, met }) => [
    about,
    point,
    `${bound} ${number(limit)}`,
    number(value),
    met ? 'met' : 'missed',
  ]);
  return alignedTable([['target', '', '', 'measured', ''], ...rows]);
}

await main(process.argv.slice(2));
