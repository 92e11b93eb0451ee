/** Every figure of an evaluation against scikit-learn, scipy and numpy: test/golden/evaluation_golden.py. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { correctDomains } from '../../../lib/train/domains.js';
import { evaluateSet, type RuleBook } from '../../../lib/train/evaluate-set.js';
import type { SetEvaluation } from '../../../lib/train/evaluation.js';
import { judgeRows } from '../../../lib/train/judged-rows.js';
import { meansOver } from '../../../lib/train/set-means.js';
import { tableOf } from './synthetic-table.js';

/** Sums in another order, and logarithms of another library. */
const kTolerance = 1e-12;

interface Golden {
  unsafe_at: number;
  book: RuleBook;
  latency: Record<string, [number, number]>;
  flop: { small: number; large: number };
  tables: Record<string, Record<string, number[]>>;
  sets: Record<string, Record<string, unknown>>;
  mean: Record<string, unknown>;
}

const golden = JSON.parse(readFileSync(join(__dirname, '../../fixtures/evaluation.json'), 'utf8')) as Golden;

function evaluated(name: string): SetEvaluation {
  const columns = golden.tables[name] ?? assert.fail(`no table ${name}`);
  const column = (key: string) => columns[key] ?? assert.fail(`no column ${key}`);
  const table = tableOf(name, columns);
  const rows = judgeRows(table, golden.unsafe_at, {
    hardness: Float32Array.from(column('hardness')),
    benefit: Float32Array.from(column('benefit')),
  });
  const [small, large] = golden.latency[name] ?? assert.fail(`no latency of ${name}`);
  const costs = {
    latency: { small, large, prompts: 1 },
    flop: {
      small: Float64Array.from(column('small_tokens'), (tokens) => tokens * golden.flop.small),
      large: Float64Array.from(column('large_tokens'), (tokens) => tokens * golden.flop.large),
    },
  };
  return evaluateSet({ name, path: `${name}.safetensors`, table, rows, costs }, golden.book, golden.unsafe_at);
}

/** Holds what `expected` names, in whatever order; numbers within the tolerance. */
function requireNear(actual: unknown, expected: unknown, where: string): void {
  if (typeof expected === 'number') {
    assert.equal(typeof actual, 'number', `${where} is ${String(actual)}, not ${expected}`);
    const near = Math.abs((actual as number) - expected) <= kTolerance * Math.max(1, Math.abs(expected));
    assert.ok(near, `${where} is ${String(actual)}, not ${expected}`);
  } else if (typeof expected === 'object' && expected !== null) {
    const [found, wanted] = [actual as Record<string, unknown>, expected as Record<string, unknown>];
    if (Array.isArray(expected)) assert.equal((actual as unknown[]).length, expected.length, where);
    for (const [key, value] of Object.entries(wanted)) requireNear(found?.[key], value, `${where}.${key}`);
  } else assert.equal(actual, expected, where);
}

describe('the evaluation of a synthetic set', () => {
  const sets = Object.keys(golden.sets).map(evaluated);
  correctDomains(sets);

  for (const set of sets) {
    describe(set.name, () => {
      const expected = golden.sets[set.name] as Record<string, Record<string, unknown>>;
      for (const part of ['rules', 'area', 'bounds', 'domains', 'scores', 'hardness', 'reliability']) {
        it(`has the ${part} of the reference`, () =>
          requireNear(set[part as keyof SetEvaluation], expected[part], `${set.name}.${part}`));
      }

      it('counts rows, unsafe ones and hard ones', () => {
        for (const part of ['rows', 'unsafe', 'hard'] as const) requireNear(set[part], expected[part], part);
      });

      it('has the curves of the reference, at each hundredth of the escalation rate', () => {
        for (const [rule, points] of Object.entries(expected.curves as Record<string, number[]>)) {
          const curve = set.curves[rule as keyof SetEvaluation['curves']] ?? assert.fail(`no curve of ${rule}`);
          requireNear(
            curve.map(({ f1 }) => f1),
            points,
            `${set.name}.curves.${rule}`,
          );
          assert.deepEqual([curve[0]?.escalated, curve[50]?.escalated, curve[100]?.escalated], [0, 0.5, 1]);
        }
      });

      it('names the rows nearest to the threshold, the earlier of two as near', () =>
        assert.deepEqual(
          set.boundary.map(({ id }) => id),
          expected.boundary,
        ));
    });
  }

  it('means the sets that hold both classes, each alike', () => {
    const mean = meansOver(sets);
    requireNear(mean, golden.mean, 'mean');
    assert.deepEqual(mean.sets, ['a', 'b']);
  });
});
