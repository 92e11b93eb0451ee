/** Tells whether two features files hold the same rows: whether a router was trained on one of them. */

import { createHash } from 'node:crypto';
import type { FeatureTable } from './feature-table.js';

/** SHA-256, in hex, of ids, groups, labels and readings: all that a split of the rows depends on. */
export function digestOf({
  ids,
  group,
  label,
  small,
  large,
}: Pick<FeatureTable, 'ids' | 'group' | 'label' | 'small' | 'large'>): string {
  const hash = createHash('sha256').update(JSON.stringify(ids));
  for (const column of [group, label, small.safe, small.unsafe, large.safe, large.unsafe]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  return hash.digest('hex');
}
