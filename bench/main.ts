// `npm run bench`: runs cases, prints their tables, and leaves a JSON file and charts in bench/results.
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { type Arguments, kUsage, parseArguments } from './arguments.js';
import type { Bench, Case } from './cases/case.js';
import { kCeiling, measureCeiling, peakOf } from './cases/ceiling.js';
import { kCases } from './cases/index.js';
import { entrantNames } from './contenders/entrants.js';
import { type Device, type Gpu, kDevices, requireGpu } from './device.js';
import { provenance } from './machine.js';
import { ProgressLine } from './progress-line.js';
import { kCpuTargets } from './report/cpu-targets.js';
import type { Figure } from './report/figure.js';
import { isTargetGpu, kGpuTargets } from './report/gpu-targets.js';
import { nativePeak } from './report/native-results.js';
import { writeResults } from './report/results.js';
import { figureTable } from './report/table.js';
import { outcomes, targetTable } from './report/targets.js';
import { Unavailable } from './unavailable.js';

const kEveryCase = [kCeiling, ...kCases];
const kResults = join(import.meta.dirname, 'results');

/** A fault of the command line, or of the machine for what was asked: its message says it all. */
function isRefusal(cause: unknown): cause is Error {
  const { code } = cause as { code?: unknown };
  return cause instanceof Unavailable || cause instanceof RangeError || String(code).startsWith('ERR_PARSE_ARGS');
}

async function main(argv: string[]): Promise<void> {
  const chosen = parseArguments(argv, known());
  if (chosen.help) {
    console.log(helpText());
    return;
  }
  const gpu = chosen.device === 'cuda' ? await requireGpu() : null;
  const peak = chosen.native === null || gpu === null ? null : nativePeak(chosen.native, gpu.name);
  await run(argv, chosen, gpu, peak);
}

function known() {
  const of = (device: Device) => ({
    cases: casesOn(device).map(({ name }) => name),
    contenders: entrantNames(device),
  });
  return { cpu: of('cpu'), cuda: of('cuda') };
}

function casesOn(device: Device): Case[] {
  return kEveryCase.filter(({ devices }) => devices.includes(device));
}

function helpText(): string {
  const lines = kEveryCase.map(
    ({ name, about, devices }) => `  ${name.padEnd(12)} ${devices.join(', ').padEnd(9)}  ${about}`,
  );
  const contenders = kDevices.map((device) => `  ${device.padEnd(12)} ${entrantNames(device).join(', ')}`);
  return [kUsage, 'cases', ...lines, '', 'contenders', ...contenders].join('\n');
}

/** `standIn`: the GEMM peak where PyTorch does not measure it. */
async function run(argv: string[], chosen: Arguments, gpu: Gpu | null, standIn: Figure | null): Promise<void> {
  // Taken before anything is measured: the tree may change while the run lasts.
  const from = provenance(gpu);
  const progress = new ProgressLine(process.stderr);
  const notes: string[] = [];
  const facts: Bench['facts'] = new Map();
  const note = (line: string) => {
    notes.push(line);
    progress.keep(line);
  };
  const bench: Bench = {
    effort: chosen.effort,
    device: chosen.device,
    gpu,
    threads: availableParallelism(),
    chosen: chosen.contenders,
    peak: null,
    facts,
    note,
    fail: (line) => {
      note(line);
      process.exitCode = 1;
    },
    progress: (line) => progress.show(line),
  };
  const figures = await runCases(bench, chosen.cases, standIn, progress);
  const all = chosen.device === 'cuda' ? kGpuTargets : kCpuTargets;
  const targets = outcomes(all, figures, gpu === null || isTargetGpu(gpu.name));
  if (targets.length > 0) console.log(`\n${targetTable(targets)}`);
  if (chosen.dry) return;
  const { cases } = chosen;
  const command = ['npm run bench', ...(argv.length > 0 ? ['--', ...argv] : [])].join(' ');
  const results = { command, cases, provenance: from, contenders: Object.fromEntries(facts), notes, figures, targets };
  const abouts = new Map(kEveryCase.map(({ name, about }) => [name, about]));
  for (const path of writeResults(kResults, results, abouts)) console.log(relative(process.cwd(), path));
}

/** The ceiling and then the cases named, or all; each prints its table when it is done. */
async function runCases(
  start: Bench,
  names: readonly string[],
  standIn: Figure | null,
  progress: ProgressLine,
): Promise<Figure[]> {
  const ceiling = await measureCeiling(start);
  const figures = ceiling.length > 0 || standIn === null ? ceiling : [standIn];
  show(progress, kCeiling.about, figures);
  const bench: Bench = { ...start, peak: peakOf(figures) };
  if (bench.peak === null) bench.note('no GEMM peak was measured, so no figure is a share of it');
  for (const { name, about, quick, devices, run: runCase } of kCases) {
    if (!devices.includes(bench.device)) continue;
    if (names.length > 0 ? !names.includes(name) : start.effort === 'quick' && !quick) continue;
    try {
      const measured = await runCase(bench);
      show(progress, about, measured);
      figures.push(...measured);
    } catch (cause) {
      // The figures of the other cases are worth keeping.
      bench.fail(`${name} failed: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  progress.clear();
  return figures;
}

function show(progress: ProgressLine, about: string, figures: readonly Figure[]): void {
  progress.clear();
  if (figures.length > 0) console.log(`\n${about}\n\n${figureTable(figures)}`);
}

try {
  await main(process.argv.slice(2));
} catch (cause) {
  if (!isRefusal(cause)) throw cause;
  console.error(cause.message);
  process.exitCode = 1;
}
