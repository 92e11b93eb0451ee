// Which rules an evaluation runs, with what, and what it says of those that it leaves out.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseRows } from '../../../lib/train/calibration-rows.js';
import { type RuleSources, ruleBook } from '../../../lib/train/rule-book.js';
import { seededRandom } from './seeded-random.js';
import { tableOf } from './synthetic-table.js';

const kNothing: RuleSources = {
  escalation: null,
  combine: null,
  router: null,
  benefit: null,
  calibration: null,
  contentFree: null,
  budget: null,
  largeWeight: null,
};

/** A small guard that is right more often than not, and surer than it should be. */
function calibrationTable(sureness: number) {
  const random = seededRandom(9);
  const labels = Array.from({ length: 200 }, (_, row) => row % 2);
  const zeros = labels.map(() => 0);
  return tableOf('calibration', {
    label: labels,
    source: zeros,
    small_safe: zeros,
    small_unsafe: labels.map((label) => sureness * (label - 0.5 + 1.6 * (random() - 0.5))),
    large_safe: zeros,
    large_unsafe: zeros,
    small_tokens: zeros,
    large_tokens: zeros,
  });
}

describe('the rules of an evaluation', () => {
  it('without routers and calibration are those that need none, and the others are named', () => {
    const { book, notes } = ruleBook(kNothing);
    assert.deepEqual(Object.keys(book), ['small', 'large', 'random', 'entropy', 'budget', 'ensemble', 'oracle']);
    assert.deepEqual(book.entropy, { threshold: 0.5 });
    assert.deepEqual(book.ensemble, { threshold: 0.5, large_weight: 0.5 });
    assert.equal(notes.length, 4);
    for (const rule of ['router', 'entropy+ts', 'entropy+cc', 'entropy+bc'])
      assert.ok(
        notes.some((note) => note.startsWith(`${rule} is left out: `)),
        rule,
      );
  });

  it("take the router's own threshold, and the pair's before it", () => {
    assert.deepEqual(ruleBook({ ...kNothing, router: 0.6, benefit: 0.5 }).book.router, { threshold: 0.6 });
    const { book } = ruleBook({
      ...kNothing,
      router: 0.6,
      benefit: 0.5,
      escalation: { kind: 'router', threshold: 0.9 },
    });
    assert.deepEqual([book.router, book.benefit], [{ threshold: 0.9 }, { threshold: 0.5 }]);
    assert.equal(book.ensemble?.threshold, 0.9);
  });

  it("cut the entropy where the paper does, but for the pair's own rule", () => {
    const plain = ruleBook({ ...kNothing, escalation: { kind: 'entropy', threshold: 0.3 } }).book;
    assert.equal(plain.entropy?.threshold, 0.3);
    const calibration = { kind: 'temperature', temperature: 2 } as const;
    const { book } = ruleBook({ ...kNothing, escalation: { kind: 'entropy', threshold: 0.3, calibration } });
    assert.deepEqual(book['entropy+ts'], { threshold: 0.3, temperature: 2 });
    assert.equal(book.entropy?.threshold, 0.5);
  });

  it('take share and weight from saferoute.json, and from the caller before it', () => {
    const filed = {
      ...kNothing,
      escalation: { kind: 'budget', share: 0.1 },
      combine: { kind: 'ensemble', largeWeight: 0.8 },
    } as const;
    const { book } = ruleBook(filed);
    assert.deepEqual([book.budget?.share, book.ensemble?.large_weight], [0.1, 0.8]);
    const asked = ruleBook({ ...filed, budget: 0, largeWeight: 1 }).book;
    assert.deepEqual([asked.budget?.share, asked.ensemble?.large_weight], [0, 1]);
  });

  it('fit temperature and mean score on the calibration rows, before what saferoute.json records', () => {
    const calibration = { kind: 'batch', prior: 0.123 } as const;
    const escalation = { kind: 'entropy', calibration } as const;
    assert.equal(ruleBook({ ...kNothing, escalation }).book['entropy+bc']?.prior, 0.123);
    const rows = chooseRows([calibrationTable(8)]);
    const { book } = ruleBook({ ...kNothing, escalation, calibration: rows, contentFree: { safe: 1, unsafe: 1 } });
    assert.ok((book['entropy+ts']?.temperature ?? 0) > 1, 'too sure: its logits are cooled');
    const prior = book['entropy+bc']?.prior ?? 0;
    assert.ok(prior > 0.4 && prior < 0.6, `${prior}`);
    assert.equal(book['entropy+cc']?.prior, 0.5);
  });

  it('leave a rule out whose calibration cannot be fitted, and say why', () => {
    const table = calibrationTable(8);
    // No row wrong: any lower temperature fits better.
    table.small.unsafe = Float32Array.from(table.label, (label) => 2 * label - 1);
    const { book, notes } = ruleBook({ ...kNothing, calibration: chooseRows([table]) });
    assert.equal(book['entropy+ts'], undefined);
    assert.ok(
      notes.some((note) => /^entropy\+ts is left out: .*no row wrong/.test(note)),
      notes.join('\n'),
    );
  });
});
