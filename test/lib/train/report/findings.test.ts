import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CurvePoint, Evaluation, RuleName } from '../../../../lib/train/evaluation.js';
import { f1At, findingsOf, type Judgement } from '../../../../lib/train/report/findings.js';
import { simulatedEvaluation } from './simulated-evaluation.js';

const kSets = [{ name: 'one', rows: 300, unsafe: 0.4, domains: ['one'] }];

/** An evaluation in which the rules have these F1 wherever they are cut. */
function withF1(f1: Partial<Record<RuleName, number>>, escalation: unknown = { kind: 'router' }): Evaluation {
  const evaluation = simulatedEvaluation(kSets);
  evaluation.pair.escalation = escalation;
  for (const [rule, value] of Object.entries(f1) as [RuleName, number][]) {
    const figures = evaluation.mean.rules[rule];
    if (figures) figures.f1 = value;
    for (const point of evaluation.mean.curves[rule] ?? []) point.f1 = value;
  }
  return evaluation;
}

function withoutRouter(evaluation: Evaluation): Evaluation {
  evaluation.pair.router = null;
  delete evaluation.mean.curves.router;
  return evaluation;
}

const kLow = { small: 0.6, random: 0.62, entropy: 0.65, 'entropy+ts': 0.65, 'entropy+cc': 0.64, 'entropy+bc': 0.63 };

describe('findings', () => {
  const cases: [string, Judgement, Evaluation][] = [
    ['a router that beats chance and entropy', 'worth', withF1({ ...kLow, router: 0.7 })],
    ['one that some rule of entropy comes close to', 'level', withF1({ ...kLow, router: 0.7, 'entropy+cc': 0.704 })],
    ['one that is little over entropy', 'level', withF1({ ...kLow, router: 0.7, 'entropy+cc': 0.696 })],
    ['one that any rule of entropy beats', 'rival-better', withF1({ ...kLow, router: 0.7, 'entropy+cc': 0.71 })],
    ['one like chance', 'chance', withF1({ ...kLow, router: 0.624 })],
    ['a pair like its small guard', 'no-gain', withF1({ ...kLow, router: 0.604 })],
    [
      'a rule of entropy that routers are not much better than',
      'worth',
      withF1({ ...kLow, entropy: 0.66, router: 0.64, benefit: 0.662 }, { kind: 'entropy' }),
    ],
    ['a rule of entropy that a router beats', 'rival-better', withF1({ ...kLow, benefit: 0.7 }, { kind: 'entropy' })],
    ['a budget of a router like entropy', 'level', withF1({ ...kLow, budget: 0.652 }, { kind: 'budget', share: 0.2 })],
    [
      'a budget without a router, which is entropy’s',
      'worth',
      withoutRouter(withF1({ ...kLow, budget: 0.652, benefit: 0.65 }, { kind: 'budget', share: 0.2 })),
    ],
    ['the random rule', 'chance', withF1({ ...kLow, random: 0.7 }, { kind: 'random' })],
    ['a pair that always escalates', 'one-guard', withF1(kLow, { kind: 'always' })],
  ];
  for (const [name, judgement, evaluation] of cases) {
    it(`of ${name}: ${judgement}`, () => assert.equal(findingsOf(evaluation).judgement, judgement));
  }

  it('find the calibrated rule of entropy that the pair runs, and fall back to the router', () => {
    const rule = (escalation: unknown) => findingsOf(withF1(kLow, escalation)).rule;
    assert.equal(rule({ kind: 'entropy', calibration: { kind: 'batch', prior: 0.2 } }), 'entropy+bc');
    assert.equal(rule({ kind: 'entropy', calibration: { kind: 'constructor' } }), 'entropy');
    assert.equal(rule(null), 'router');
    assert.equal(rule('toString'), 'router');
  });

  it('judge nothing where rules to compare with were not run', () => {
    const evaluation = withF1({ ...kLow, router: 0.7 });
    delete evaluation.mean.curves.random;
    assert.equal(findingsOf(evaluation).judgement, 'unknown');
  });
});

describe('f1At', () => {
  const curve: CurvePoint[] = [
    { escalated: 0, f1: 0.5, ms_per_row: null },
    { escalated: 0.5, f1: 0.7, ms_per_row: null },
    { escalated: 1, f1: null, ms_per_row: null },
  ];

  it('reads points and the straight lines between them, and nothing beside a gap', () => {
    assert.equal(f1At(curve, 0), 0.5);
    assert.equal(f1At(curve, 0.5), 0.7);
    assert.ok(Math.abs((f1At(curve, 0.25) ?? 0) - 0.6) < 1e-12);
    assert.equal(f1At(curve, 0.75), null);
    assert.equal(f1At(curve, 1), null);
    assert.equal(f1At([], 0.5), null);
  });
});
