// What another precision changes in verdicts: rows whose score crosses the bound, and what becomes of F1.

/** At or below it a score is safe. */
const kUnsafeAt = 0.5;
/** A score nearer to `kUnsafeAt` than this says nothing in the reference either. */
const kMargin = 0.05;

/** P(unsafe) of one row by the parts of a pair. */
export interface Scores {
  small: number;
  large: number;
  routed: number;
}

export const kJudges = ['small', 'large', 'routed'] as const satisfies readonly (keyof Scores)[];

/** Rows of one set in one precision; null where a row could not be read. `(rows)` */
export type SetScores = readonly (Scores | null)[];

export interface Comparison {
  set: string;
  judge: keyof Scores;
  /** That both precisions could read. */
  rows: number;
  /** Verdicts that are turned over, and those among them whose score in the reference had a margin. */
  flips: number;
  clearFlips: number;
  /** null where a set lacks one of the classes. */
  f1: { reference: number; measured: number } | null;
}

export interface Summary {
  judge: keyof Scores;
  rows: number;
  clearFlipShare: number;
  /** Of the sets with both classes; null where there is none. */
  meanF1: { reference: number; measured: number } | null;
}

/** `labels`: 1 means harmful. `(rows)` */
export function f1(scores: readonly number[], labels: readonly number[]): number {
  let [truePositives, wrong] = [0, 0];
  scores.forEach((score, row) => {
    const unsafe = score > kUnsafeAt;
    if (unsafe && labels[row] === 1) truePositives++;
    else if (unsafe !== (labels[row] === 1)) wrong++;
  });
  return truePositives === 0 ? 0 : (2 * truePositives) / (2 * truePositives + wrong);
}

/** One judge's verdicts of one set. */
export function compareScores(
  place: Pick<Comparison, 'set' | 'judge'>,
  labels: readonly number[],
  scores: { reference: SetScores; measured: SetScores },
): Comparison {
  const read = labels.flatMap((label, row) => {
    const [before, after] = [scores.reference[row], scores.measured[row]];
    return before && after ? [{ label, before: before[place.judge], after: after[place.judge] }] : [];
  });
  const flipped = read.filter(({ before, after }) => before > kUnsafeAt !== after > kUnsafeAt);
  const readLabels = read.map(({ label }) => label);
  const f1Of = (which: 'before' | 'after') =>
    f1(
      read.map((row) => row[which]),
      readLabels,
    );
  const bothClasses = readLabels.includes(0) && readLabels.includes(1);
  return {
    ...place,
    rows: read.length,
    flips: flipped.length,
    clearFlips: flipped.filter(({ before }) => Math.abs(before - kUnsafeAt) >= kMargin).length,
    f1: bothClasses ? { reference: f1Of('before'), measured: f1Of('after') } : null,
  };
}

/** One judge's verdicts of all sets. */
export function summarise(judge: keyof Scores, comparisons: readonly Comparison[]): Summary {
  const own = comparisons.filter((comparison) => comparison.judge === judge);
  const judged = own.flatMap((comparison) => comparison.f1 ?? []);
  const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  const mean = (values: number[]) => total(values) / values.length;
  const rows = total(own.map((comparison) => comparison.rows));
  return {
    judge,
    rows,
    clearFlipShare: total(own.map(({ clearFlips }) => clearFlips)) / rows,
    meanF1:
      judged.length === 0
        ? null
        : {
            reference: mean(judged.map(({ reference }) => reference)),
            measured: mean(judged.map(({ measured }) => measured)),
          },
  };
}
