/** `saferoute inspect DIR|FILE`: what a pair, a guard, a router or a features file is, on one screen. */

import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { SafeRouteError } from '../errors.js';
import { loadAddon } from '../native.js';
import { kExit, UsageError } from './exit.js';
import { renderFacts } from './facts.js';
import { inspectFeatures, isFeaturesFile } from './inspect-features.js';
import { type Inspection, inspectGuard } from './inspect-guard.js';
import { inspectPair } from './inspect-pair.js';
import { kPlanFlags, kPlanFlagsUsage, planPath, planSettings } from './inspect-plan.js';
import { inspectRouter } from './inspect-router.js';
import { painter } from './terminal.js';

const kPairFile = 'saferoute.json';
/** A file out of a guard's folder stands for the guard. */
const kGuardFiles = ['config.json', 'guard.json', 'model.safetensors', 'model.safetensors.index.json'];

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
  const inspections = await inspectPath(path);
  const paint = painter(process.stdout);
  for (const { problems, ...facts } of inspections) {
    const loads = problems.length === 0 ? paint('green', 'yes') : paint('red', 'no');
    const why = problems.map((problem): [string, string] => ['problem', problem]);
    process.stdout.write(`${renderFacts({ ...facts, lines: [...facts.lines, ['loads', loads], ...why] }, paint)}\n`);
  }
  if (inspections.some(({ problems }) => problems.length > 0)) return kExit.fatal;
  if (plan === null) return kExit.ok;
  const { fits, table } = await planPath(path, plan, loadAddon());
  process.stdout.write(`${paint('bold', 'on the GPU')}\n${table.replace(/^(?=.)/gm, '  ')}\n`);
  return fits ? kExit.ok : kExit.fatal;
}

async function inspectPath(path: string): Promise<Inspection[]> {
  const found = await stat(path);
  if (found.isDirectory()) {
    if (await exists(join(path, kPairFile))) return inspectPair(path);
    if (await exists(join(path, 'config.json'))) return [await inspectGuard(path)];
    throw new SafeRouteError('ERR_CHECKPOINT', `${path}: has neither ${kPairFile} (a pair) nor config.json (a guard)`);
  }
  const name = basename(path);
  if (name === kPairFile) return inspectPair(path);
  if (kGuardFiles.includes(name)) return [await inspectGuard(dirname(path))];
  return [(await isFeaturesFile(path)) ? await inspectFeatures(path) : await inspectRouter(path)];
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
