// The tables that `saferoute evaluate` prints: the evaluation's own figures, what hurts in red, and a dash for what is not known.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderEvaluation } from '../../../lib/cli/evaluation-tables.js';
import { painter } from '../../../lib/cli/terminal.js';
import type { RuleName } from '../../../lib/train/evaluation.js';
import { kHurtDomain, kSimulatedSets, simulatedEvaluation } from '../train/report/simulated-evaluation.js';

const plain = painter({});
const coloured = painter({ isTTY: true, hasColors: () => true });
const evaluation = simulatedEvaluation();

/** The cells of the first line that begins with `name`. */
function cellsOf(text: string, name: string): string[] {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `)) ?? assert.fail(`no line of ${name}`);
  return line
    .slice(name.length)
    .trim()
    .split(/\s{2,}/);
}

describe('the tables of an evaluation', () => {
  const text = renderEvaluation(evaluation, plain);

  it('have a line for every rule, with its figures in the mean', () => {
    for (const [rule, figures] of Object.entries(evaluation.mean.rules)) {
      const cells = cellsOf(text, rule);
      assert.equal(cells[0], figures.f1?.toFixed(4), rule);
      assert.equal(cells[6], `${(100 * figures.escalated).toFixed(1)} %`, rule);
    }
    assert.match(text, /^mean over the 4 sets with both classes$/m);
  });

  it('have a line for every set, with F1 and the bound', () => {
    for (const { name, rows, rules, bounds } of evaluation.sets) {
      const cells = cellsOf(text, name);
      assert.equal(cells[0], rows.toLocaleString('en-US'));
      assert.ok(cells.includes(rules.router?.f1?.toFixed(4) ?? ''));
      const bound = bounds.find(({ loss }) => loss === 'zero-one')?.bound ?? 0;
      assert.ok(text.includes(`${(100 * Math.min(1, bound)).toFixed(1)} %`));
    }
  });

  it('name a domain that escalation hurts in red, with the advice, and no other', () => {
    const red = renderEvaluation(evaluation, coloured)
      .split('\n')
      .filter((line) => line.includes('\u001b[31m'));
    assert.equal(red.length, 1);
    assert.ok(red[0]?.includes(kHurtDomain));
    assert.match(red[0] ?? '', /the large guard is worse here, right on .*Switch escalation off for this domain\./);
    assert.match(text, /worse in 1, .*Holm's correction/);
  });

  it('embolden the best F1 among the rules that can be run', () => {
    const bold = renderEvaluation(evaluation, coloured)
      .split('\n')
      .filter((line) => line.includes(' \u001b[1m') && !line.startsWith('\u001b'));
    const f1Of = (rule: string) => evaluation.mean.rules[rule as RuleName]?.f1 ?? 0;
    const others = Object.keys(evaluation.mean.rules).filter((rule) => rule !== 'oracle');
    const best = others.reduce((one, other) => (f1Of(other) > f1Of(one) ? other : one));
    assert.equal(bold.length, 1);
    assert.ok(bold[0]?.startsWith(`${best} `), bold[0]);
  });

  it('have a dash for what was not measured', () => {
    const [set] = evaluation.sets;
    assert.ok(set?.rules.router);
    const router = { ...set.rules.router, auprc: null, ms_per_row: null, flop_per_row: null };
    const bare = { ...evaluation, latency_ms: null, sets: [{ ...set, rules: { ...set.rules, router } }] };
    const cells = cellsOf(renderEvaluation(bare, plain), 'router');
    assert.deepEqual([cells[4], ...cells.slice(-2)], ['–', '–', '–']);
    assert.match(renderEvaluation(bare, plain), /no latency measured/);
  });

  it('name the set alone where there is one, and print notes', () => {
    const one = simulatedEvaluation(kSimulatedSets.slice(0, 1));
    const alone = renderEvaluation({ ...one, notes: ['Something was left out.'] }, plain);
    assert.match(alone, /^WildGuardMix prompts$/m);
    assert.match(alone, /^Note: Something was left out\.$/m);
  });

  it('have sets and no means where no set holds both classes', () => {
    const none = { ...evaluation, mean: { sets: [], rules: {}, curves: {}, area: {} } };
    const text = renderEvaluation(none, plain);
    assert.ok(!text.includes('mean over'));
    assert.match(text, /^ToxicChat /m);
  });
});
