/** `saferoute inspect DIR|FILE`: what a pair, a guard, a router or a features file is, on one screen. */

import { parseArgs } from 'node:util';
import { loadAddon } from '../native.js';
import { kExit, UsageError } from './exit.js';
import { renderFacts } from './facts.js';
import { inspectFeatures, isFeaturesFile } from './inspect-features.js';
import { type Inspection, inspectGuard } from './inspect-guard.js';
import { inspectPair } from './inspect-pair.js';
import { kPlanFlags, kPlanFlagsUsage, planSettings, planTarget } from './inspect-plan.js';
import { inspectRouter } from './inspect-router.js';
import { type InspectTarget, inspectTarget } from './inspect-target.js';
import { painter } from './terminal.js';

const kUsage = `Usage: saferoute inspect [options] DIR|FILE

Tells what a pair (a folder with saferoute.json), a guard (a folder with config.json), a router file or a features file is, what reading it
takes, and what of it is not supported. Exit code: 0 if it can be loaded, 1 if not.

${kPlanFlagsUsage}
`;

export async function inspect(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    options: { help: { type: 'boolean', short: 'h' }, ...kPlanFlags },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(kUsage);
    return kExit.ok;
  }
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw new UsageError('inspect takes one folder or file');
  const plan = planSettings(values);
  const target = await inspectTarget(path);
  const inspections = await inspectionsOf(target);
  const paint = painter(process.stdout);
  for (const { problems, ...facts } of inspections) {
    const loads = problems.length === 0 ? paint('green', 'yes') : paint('red', 'no');
    const why = problems.map((problem): [string, string] => ['problem', problem]);
    process.stdout.write(`${renderFacts({ ...facts, lines: [...facts.lines, ['loads', loads], ...why] }, paint)}\n`);
  }
  if (inspections.some(({ problems }) => problems.length > 0)) return kExit.fatal;
  if (plan === null) return kExit.ok;
  const { fits, table } = await planTarget(target, plan, loadAddon());
  process.stdout.write(`${paint('bold', 'on the GPU')}\n${table.replace(/^(?=.)/gm, '  ')}\n`);
  return fits ? kExit.ok : kExit.fatal;
}

async function inspectionsOf({ kind, path }: InspectTarget): Promise<Inspection[]> {
  if (kind === 'pair') return inspectPair(path);
  if (kind === 'guard') return [await inspectGuard(path)];
  return [(await isFeaturesFile(path)) ? await inspectFeatures(path) : await inspectRouter(path)];
}
