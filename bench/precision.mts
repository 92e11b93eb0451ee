// What int8 changes in the verdicts of a pair: every labelled set of a folder is read in f32 and in int8, by both guards and by the pair.
// `node --import tsx bench/precision.mts DATA [PAIR]`: DATA holds JSON lines `{ prompt, response?, label }` in any depth below a folder
// `eval`; without PAIR, the embedded one. Prints a table and, on the last line, the result as JSON.
import { SafeRoute } from '../dist/index.mjs';
import { isTooLong, type LabelledRow, readSets } from './labelled-sets.mjs';

const kUnsafeAt = 0.5;
const kMargin = 0.05; // a score nearer to kUnsafeAt than this says nothing in f32 either

/** What the parts of a pair say of one row; null in its place where the other turns leave the judged message no room in the context. */
interface Scores {
  small: number;
  large: number;
  routed: number;
}

interface Comparison {
  set: string;
  guard: keyof Scores;
  /** That both precisions could read. */
  rows: number;
  /** Verdicts that int8 turns over, and those among them whose f32 score had a margin. */
  flips: number;
  clearFlips: number;
  /** null where a set lacks one of the classes. */
  f1: { f32: number; int8: number } | null;
}

async function scoreAll(pair: string | undefined, precision: 'f32' | 'int8', sets: Map<string, LabelledRow[]>) {
  const { escalation } = await describePair(pair);
  const threshold = escalation.kind === 'router' ? escalation.threshold : 0.5;
  await using everything = await SafeRoute.load(pair, {
    precision,
    escalation: { kind: 'always' },
    overlong: 'truncate',
  });
  const scores = new Map<string, (Scores | null)[]>();
  for (const [set, rows] of sets) {
    const found: (Scores | null)[] = [];
    const settled = everything.checkAll(
      rows.map(({ input }) => input),
      { settled: true },
    );
    for await (const row of settled) {
      if (row.status === 'rejected' && !isTooLong(row.error)) throw row.error;
      if (row.status === 'rejected') {
        found.push(null);
        continue;
      }
      const { verdict } = row;
      const [small, large] = [verdict.small.score, verdict.large?.score ?? verdict.small.score];
      found.push({ small, large, routed: (verdict.hardness ?? 0) > threshold ? large : small });
    }
    scores.set(set, found);
    process.stderr.write(`${precision}: ${set}, ${rows.length} rows\n`);
  }
  return scores;
}

async function describePair(pair: string | undefined) {
  await using saferoute = await SafeRoute.load(pair);
  return { escalation: saferoute.escalation };
}

function f1(scores: readonly number[], labels: readonly number[]): number {
  let [truePositives, wrong] = [0, 0];
  scores.forEach((score, row) => {
    const unsafe = score > kUnsafeAt;
    if (unsafe && labels[row] === 1) truePositives++;
    else if (unsafe !== (labels[row] === 1)) wrong++;
  });
  return truePositives === 0 ? 0 : (2 * truePositives) / (2 * truePositives + wrong);
}

function compare(
  set: string,
  guard: keyof Scores,
  rows: LabelledRow[],
  f32: (Scores | null)[],
  int8: (Scores | null)[],
): Comparison {
  const read = rows.flatMap(({ label }, row) => {
    const [before, after] = [f32[row], int8[row]];
    return before && after ? [{ label, before: before[guard], after: after[guard] }] : [];
  });
  const labels = read.map(({ label }) => label);
  const [before, after] = [read.map((row) => row.before), read.map((row) => row.after)];
  const flipped = before.filter((score, row) => score > kUnsafeAt !== (after[row] as number) > kUnsafeAt);
  const bothClasses = labels.includes(0) && labels.includes(1);
  return {
    set,
    guard,
    rows: read.length,
    flips: flipped.length,
    clearFlips: flipped.filter((score) => Math.abs(score - kUnsafeAt) >= kMargin).length,
    f1: bothClasses ? { f32: f1(before, labels), int8: f1(after, labels) } : null,
  };
}

function summarize(guard: keyof Scores, comparisons: Comparison[]) {
  const own = comparisons.filter((comparison) => comparison.guard === guard);
  const judged = own.flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = own.reduce((sum, comparison) => sum + comparison.rows, 0);
  const clearFlips = own.reduce((sum, comparison) => sum + comparison.clearFlips, 0);
  return {
    guard,
    rows,
    clearFlipShare: clearFlips / rows,
    meanF1: { f32: mean(judged.map(({ f32 }) => f32)), int8: mean(judged.map(({ int8 }) => int8)) },
  };
}

const [data, pair] = process.argv.slice(2);
if (data === undefined) throw new TypeError('usage: precision.mts DATA [PAIR]');
const sets = readSets(data);
const f32 = await scoreAll(pair, 'f32', sets);
const int8 = await scoreAll(pair, 'int8', sets);
const guards: (keyof Scores)[] = ['small', 'large', 'routed'];
const comparisons = [...sets].flatMap(([set, rows]) =>
  guards.map((guard) => compare(set, guard, rows, f32.get(set) ?? [], int8.get(set) ?? [])),
);
console.table(
  comparisons.map(({ set, guard, rows, flips, clearFlips, f1 }) => ({
    set,
    guard,
    rows,
    flips,
    'flips with a margin': clearFlips,
    'F1 f32': f1?.f32.toFixed(4) ?? '',
    'F1 int8': f1?.int8.toFixed(4) ?? '',
  })),
);
const summaries = guards.map((guard) => summarize(guard, comparisons));
console.table(
  summaries.map(({ guard, rows, clearFlipShare, meanF1 }) => ({
    guard,
    rows,
    'flips with a margin, %': (100 * clearFlipShare).toFixed(3),
    'mean F1 f32': meanF1.f32.toFixed(4),
    'mean F1 int8': meanF1.int8.toFixed(4),
  })),
);
console.log(JSON.stringify({ comparisons, summaries }));
