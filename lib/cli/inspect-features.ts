/** What a features file is, for `saferoute inspect` and at the end of `saferoute label`. */

import { quoted } from '../checkpoint/refusal.js';
import { readSafetensors } from '../checkpoint/safetensors.js';
import { SafeRouteError } from '../errors.js';
import { kFeaturesFormat } from '../train/feature-columns.js';
import { type FeatureTable, type GuardColumns, isHard, kHardAt, scoreOf } from '../train/feature-table.js';
import { openFeatures } from '../train/features-reader.js';
import type { Facts } from './facts.js';
import type { Inspection } from './inspect-guard.js';
import { bytes, grouped, percent } from './terminal.js';

const kShownSources = 20;
const kShownDigits = 12; // of a fingerprint
const kFormatName = kFeaturesFormat.split('/')[0] as string;

/** Whether the file calls itself a features file, of whatever version. */
export async function isFeaturesFile(path: string): Promise<boolean> {
  const file = await readSafetensors(path).catch((error: unknown) => {
    if (error instanceof SafeRouteError) return null;
    throw error;
  });
  return file?.metadata.get('format')?.startsWith(`${kFormatName}/`) ?? false;
}

export async function inspectFeatures(path: string): Promise<Inspection> {
  const opened = await openFeatures(path).catch((error: unknown) => {
    if (error instanceof SafeRouteError) return error;
    throw error;
  });
  if (opened instanceof SafeRouteError) return { headline: `features  ${path}`, lines: [], problems: [opened.message] };
  return { ...featuresFacts(opened), problems: [] };
}

export function featuresFacts(table: FeatureTable): Facts {
  const rows = [...table.ids.keys()];
  const unsafe = rows.filter((row) => table.label[row] === 1).length;
  const hard = rows.filter((row) => isHard(table, row)).length;
  const groups = new Set(table.group).size;
  return {
    headline: `features  ${table.path}`,
    lines: [
      ['rows', `${grouped(table.rows)}, of them ${share(unsafe, table.rows, 'unsafe')}`],
      ['hard', `${share(hard, table.rows, 'rows')}: only the large guard gets them right`],
      ['features', `${table.features.width} values each, ${bytes(4 * table.rows * table.features.width)}`],
      [
        'groups',
        groups === table.rows ? null : `${grouped(groups)}, of up to ${grouped(largestGroup(table))} variants`,
      ],
      ['small', guardLine(table, table.small)],
      ['large', guardLine(table, table.large)],
      ['content-free', contentFree(table)],
      ...sourceLines(table),
    ],
  };
}

function guardLine(table: FeatureTable, guard: GuardColumns): string {
  const right = guard.safe.reduce(
    (count, _, row) => count + (scoreOf(guard, row) > kHardAt === (table.label[row] === 1) ? 1 : 0),
    0,
  );
  const print = guard.fingerprint.slice(0, kShownDigits);
  return `${guard.dir} (${guard.precision}, ${print}), right on ${percent(right / table.rows)}`;
}

function contentFree({ contentFree }: FeatureTable): string | null {
  if (contentFree === null) return null;
  const score = scoreOf({ safe: Float32Array.of(contentFree.safe), unsafe: Float32Array.of(contentFree.unsafe) }, 0);
  return `the small guard gives a message of one space a score of ${score.toFixed(3)}`;
}

/** The largest first. */
function sourceLines({ sources, source, ...table }: FeatureTable): [string, string][] {
  if (sources.length === 1 && sources[0] === '') return [];
  const counts = sources.map((name) => ({ name, rows: 0, hard: 0 }));
  for (const [row, place] of source.entries()) {
    const own = counts[place] as { rows: number; hard: number };
    own.rows++;
    if (isHard(table, row)) own.hard++;
  }
  const shown = counts.sort((a, b) => b.rows - a.rows).slice(0, kShownSources);
  const lines = shown.map(({ name, rows, hard }): [string, string] => [
    'source',
    `${name === '' ? 'none named' : quoted(name)}: ${grouped(rows)} ${rows === 1 ? 'row' : 'rows'}, ${share(hard, rows, 'hard')}`,
  ]);
  const others = counts.length - shown.length;
  return others > 0 ? [...lines, ['source', `and ${grouped(others)} more`]] : lines;
}

function largestGroup({ group }: FeatureTable): number {
  const sizes = new Map<number, number>();
  for (const one of group) sizes.set(one, (sizes.get(one) ?? 0) + 1);
  return [...sizes.values()].reduce((largest, size) => Math.max(largest, size), 0);
}

function share(part: number, whole: number, what: string): string {
  return `${grouped(part)} ${what} (${percent(part / whole)})`;
}
