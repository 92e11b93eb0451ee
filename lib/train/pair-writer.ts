/** Writes a calibration into a pair's saferoute.json: the rule, and what it was calibrated to. Every other key stays, and so does their order. */

import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '../atomic-file.js';
import { type CalibrationRecord, openPair, type Pair } from '../checkpoint/index.js';
import { isRegularFile, statOf } from '../checkpoint/source-file.js';
import type { Escalation } from '../options.js';

const kPairName = 'saferoute.json';

/** A pair's saferoute.json, which need not be there yet. */
export interface PairFile {
  /** Absolute, as it was named: what the paths in it start from. */
  path: string;
  /** Where it lies, links followed. */
  target: string;
  /** null where the file is not there. */
  pair: Pair | null;
}

export interface PairChanges {
  escalation: Escalation;
  calibrated: CalibrationRecord;
  /** Absolute; undefined leaves the pair's own. */
  router?: string | undefined;
  /** Directories of the guards, for a file that is not there yet. */
  guards: { small: string; large: string };
}

/** `place` is a pair's directory, which must be there, or the file itself. Throws ERR_SPEC for a file that is no pair's. */
export async function findPair(place: string): Promise<PairFile> {
  const named = resolve(place);
  const path = named.endsWith('.json') ? named : join(named, kPairName);
  if (await isRegularFile(path)) return { path, target: await realpath(path), pair: await openPair(path) };
  await statOf(dirname(path));
  return { path, target: path, pair: null };
}

/** Whole or not at all. */
export async function writePair({ path, target, pair }: PairFile, changes: PairChanges): Promise<void> {
  const { escalation, calibrated, router, guards } = changes;
  const at = (part: string) => relativePath(dirname(path), part);
  const text = pair === null ? null : await readFile(target, 'utf8');
  const before = text === null ? { small: at(guards.small), large: at(guards.large) } : JSON.parse(text);
  const after = { ...before, ...(router !== undefined && { router: at(router) }), escalation, calibrated };
  const bytes = Buffer.from(`${JSON.stringify(after, null, indentOf(text))}\n`);
  await writeAtomically(target, (write) => write(bytes));
}

/** The white space before the file's first key. */
function indentOf(text: string | null): string {
  return /^\s*\{\r?\n([ \t]+)"/.exec(text ?? '')?.[1] ?? '  ';
}

/** As saferoute.json names its parts: from its own directory, with slashes. */
function relativePath(directory: string, part: string): string {
  return relative(directory, part).split(sep).join('/') || '.';
}
