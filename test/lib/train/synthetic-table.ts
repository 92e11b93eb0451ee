/** Tables of labelled rows without a features file, from plain columns of numbers. */
import assert from 'node:assert/strict';
import type { FeatureTable } from '../../../lib/train/feature-table.js';

/** `columns`: label, source, small_safe, small_unsafe, large_safe, large_unsafe, small_tokens, large_tokens; `(rows)` each. Ids are `<name>-<row>`. */
export function tableOf(name: string, columns: Record<string, number[]>): FeatureTable {
  const column = (key: string) => columns[key] ?? assert.fail(`no column ${key}`);
  const rows = column('label').length;
  const guard = (key: 'small' | 'large') => ({
    dir: `/guards/${key}`,
    fingerprint: `${key}-1`,
    precision: 'int8' as const,
    safe: Float32Array.from(column(`${key}_safe`)),
    unsafe: Float32Array.from(column(`${key}_unsafe`)),
  });
  return {
    path: `/features/${name}.safetensors`,
    rows,
    ids: Array.from({ length: rows }, (_, row) => `${name}-${row}`),
    sources: Array.from({ length: Math.max(...column('source')) + 1 }, (_, source) => `source-${source}`),
    source: Int32Array.from(column('source')),
    group: Int32Array.from({ length: rows }, (_, row) => row),
    label: Int8Array.from(column('label')),
    small: guard('small'),
    large: guard('large'),
    tokens: { small: Int32Array.from(column('small_tokens')), large: Int32Array.from(column('large_tokens')) },
    contentFree: null,
    features: { path: `/features/${name}.safetensors`, offset: 0, rows, width: 4 },
  };
}
