/** Tables whose features say, with some noise, which rows are hard and where escalating does harm: a router can learn it. */

import type { LabelledTable } from '../../../lib/train/features-writer.js';
import { labelledTable } from './labelled-tables.js';
import { seededRandom } from './seeded-random.js';

/** About a quarter of the rows is hard and an eighth is got right by the small guard alone; `changes` replace whole columns. */
export function learnableTable(
  rows: number,
  width = 12,
  seed = 1,
  changes: Partial<LabelledTable> = {},
): LabelledTable {
  const random = seededRandom(seed);
  const features = Float32Array.from({ length: rows * width }, () => 2 * random() - 1);
  const plain = labelledTable(rows, width);
  for (let row = 0; row < rows; row++) {
    const [a = 0, b = 0, c = 0] = features.subarray(row * width, row * width + 3);
    const hard = a + b + 0.3 * random() > 0.7;
    const harmful = !hard && c + 0.3 * random() > 0.9;
    const unsafe = plain.label[row] === 1;
    setVerdict(plain.small, row, unsafe !== hard);
    setVerdict(plain.large, row, unsafe !== harmful);
  }
  return { ...plain, features, ...changes };
}

function setVerdict({ safe, unsafe }: LabelledTable['small'], row: number, isUnsafe: boolean): void {
  safe[row] = isUnsafe ? -2 : 2;
  unsafe[row] = 0;
}
