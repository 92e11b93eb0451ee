/** Times rows of every set through the loaded pair: their messages, or, of features files, prompts of the same lengths. */

import { SafeRoute } from '../saferoute.js';
import type { Input } from '../verdict.js';
import type { EvaluatePlan } from './evaluate-options.js';
import type { EvaluatedPair } from './evaluated-pair.js';
import { readLabelledRows } from './labelled-rows.js';
import { type AskedPair, type Probe, spacedRows, type Timings, timePair } from './pair-latency.js';
import type { OpenedSet } from './set-tables.js';

/** In the order of the sets. */
export async function timeSets(
  { pair, parts, latencyPrompts, signal, onProgress }: EvaluatePlan,
  { plan }: EvaluatedPair,
  sets: readonly OpenedSet[],
): Promise<Timings[]> {
  // Each guard is asked on its own; the rule is not, but a pair without a router must name one.
  const saferoute = await SafeRoute.load(pair, { ...parts, escalation: { kind: 'always' } });
  try {
    const timings: Timings[] = [];
    for (const set of sets) {
      const probes = await probesOf(set, latencyPrompts, plan.settings.inputBytes);
      const startMs = performance.now();
      const onTimed = (done: number) => {
        const secondsLeft = ((performance.now() - startMs) / 1000 / done) * (probes.length - done);
        onProgress({ stage: 'time', set: set.name, done, total: probes.length, secondsLeft });
      };
      timings.push(await timePair(saferoute as AskedPair, probes, signal, onTimed));
    }
    return timings;
  } finally {
    await saferoute.close();
  }
}

async function probesOf({ kind, path, table }: OpenedSet, count: number, inputBytes: number): Promise<Probe[]> {
  const rows = spacedRows(table.rows, count);
  if (kind === 'rows') return messages(path, new Set(rows.map((row) => table.ids[row] as string)), inputBytes);
  const { small, large } = table.tokens;
  return rows.map((row) => ({ tokens: { small: small[row] as number, large: large[row] as number } }));
}

async function messages(path: string, ids: ReadonlySet<string>, inputBytes: number): Promise<Probe[]> {
  const inputs: Input[] = [];
  for await (const { line, place } of readLabelledRows([path], inputBytes)) {
    if (line.kind === 'row' && ids.has(line.id ?? place)) inputs.push(line.input);
  }
  return inputs.map((input) => ({ input }));
}
