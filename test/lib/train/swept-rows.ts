/** Rows with a ranking, as a calibration sweeps them, made up at random. */

import type { SweptRows } from '../../../lib/train/threshold-sweep.js';

/** `ranks` distinct places in the ranking, so that few of them make many ties; `sources` of unlike sizes. */
export function randomSweptRows(random: () => number, rows: number, ranks: number, sources = 1): SweptRows {
  const flag = (chance: number) => (random() < chance ? 1 : 0);
  const labels = Int8Array.from({ length: rows }, () => flag(0.4));
  const ranking = Float64Array.from({ length: rows }, () => Math.floor(random() * ranks) / ranks);
  // The small guard errs more where the rank is high, the large one everywhere alike.
  const kept = Uint8Array.from(labels, (label, row) => Math.abs(label - flag(0.6 * (ranking[row] as number))));
  const escalated = Uint8Array.from(labels, (label) => Math.abs(label - flag(0.15)));
  const stratum = Int32Array.from({ length: rows }, (_, row) =>
    row < sources ? row : Math.floor(sources * random() ** 2),
  );
  return { labels, ranking, kept, escalated, stratum };
}
