/** Writes a calibration into a pair's saferoute.json: the rule, and what it was calibrated to. Every other key stays, and so does their order. */

import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '../atomic-file.js';
import { type CalibrationRecord, openPair, type Pair } from '../checkpoint/index.js';
import { refuse } from '../checkpoint/refusal.js';
import { isRegularFile } from '../checkpoint/source-file.js';
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

/**
 * `place` is a pair's directory or the file itself; neither need be there yet. Throws ERR_SPEC for a file that is no pair's, ERR_CHECKPOINT for
 * a place where none can be made.
 */
export async function findPair(place: string): Promise<PairFile> {
  const named = resolve(place);
  const path = named.endsWith('.json') ? named : join(named, kPairName);
  if (await isRegularFile(path)) return { path, target: await realpath(path), pair: await openPair(path) };
  const folder = await stat(dirname(path)).catch(() => null);
  if (folder?.isDirectory() === false) refuse(dirname(path), 'is a file; a pair is a directory, or a saferoute.json');
  return { path, target: path, pair: null };
}

/** Whole or not at all; its directory is made where it is not there. */
export async function writePair({ path, target, pair }: PairFile, changes: PairChanges): Promise<void> {
  const { escalation, calibrated, router, guards } = changes;
  const at = (part: string) => relativePath(dirname(path), part);
  const text = pair === null ? null : await readFile(target, 'utf8');
  const before = text === null ? { small: at(guards.small), large: at(guards.large) } : JSON.parse(text);
  const after = { ...before, ...(router !== undefined && { router: at(router) }), escalation, calibrated };
  const bytes = Buffer.from(`${JSON.stringify(after, null, indentOf(text))}\n`);
  await mkdir(dirname(target), { recursive: true });
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
