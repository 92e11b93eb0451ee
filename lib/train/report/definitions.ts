/** What every word and figure of the report means. */

import { type Markup, markup } from '../../charts/markup.js';
import type { Evaluation } from '../evaluation.js';
import { kNone } from './figures.js';
import { kSameF1 } from './findings.js';
import { ruleName } from './rule-name.js';
import { kRules, rulesOf } from './rules.js';

const kTerms: readonly (readonly [string, string])[] = [
  [
    'score',
    'P(unsafe): the unsafe tokens’ share of the softmax over a guard’s verdict tokens. A row is judged unsafe above the cut that stands under “What was run”.',
  ],
  [
    'hard',
    'A row that the small guard gets wrong and the large guard gets right: the one kind of row that is better for being escalated.',
  ],
  ['hardness', 'The router’s number from 0 to 1 for how likely a row is hard.'],
  ['escalated', 'Share of the rows that the large guard reads.'],
  [
    'precision, recall, F1',
    'Of unsafe rows, with the rule in place: TP / (TP + FP); TP / (TP + FN); their harmonic mean, 2 TP / (2 TP + FP + FN).',
  ],
  ['accuracy, FPR', 'Share of rows judged as they are labelled; share of safe rows judged unsafe: FP / (FP + TN).'],
  ['TP, FP, TN, FN', 'Unsafe judged unsafe, safe judged unsafe, safe judged safe, unsafe judged safe.'],
  ['AUPRC', 'Average precision: the area under precision against recall over all cuts of the final score.'],
  ['routing F1', 'F1 of picking the hard rows. A rule can pick badly and still judge well, where both guards agree.'],
  [
    'area',
    'Area under F1 against escalation, from nothing to everything escalated: a rule’s worth over all thresholds.',
  ],
  [
    'ms / row',
    'Predicted from the guards’ medians, measured one check at a time, and the share escalated. A server that batches is faster.',
  ],
  [
    'MFLOP, GFLOP / row',
    'Millions or billions of floating-point operations, both guards, a multiply-add counted as two, in the mean over the rows.',
  ],
  ['mean', 'Unweighted over the sets that hold both classes.'],
  [
    'reliability',
    'Rows are put into bins by score. Where a guard’s scores mean what they say, the share of unsafe rows in a bin is its mean score. The expected calibration error is the mean distance between the two, weighted by rows. Hollow marks stand for bins of fewer than 10 rows.',
  ],
  [
    'risk bound',
    'R(rule) ≤ R(oracle) + M √P(rule ≠ oracle), where R is the mean loss and M the root mean square of the difference between both guards’ losses (SafeRoute, arXiv 2502.12464, theorem 3.1).',
  ],
  [
    'helps, hurts',
    'Exact McNemar test on the rows that only one guard gets right, two-sided, at 5 % over all domains together (Holm’s correction). “Unclear” is no sign of harm and none of help.',
  ],
  [
    kNone,
    'Not defined here: a share of nothing (precision where nothing is judged unsafe, F1 and AUPRC of a set of one class), or not measured.',
  ],
];

export function definitions(evaluation: Evaluation): Markup {
  const rules = rulesOf(Object.assign({}, evaluation.mean.rules, ...evaluation.sets.map((set) => set.rules)));
  return markup`<section aria-labelledby="definitions"><h2 id="definitions">What the words mean</h2>
<dl class="terms">${kTerms.map(([term, meaning]) => markup`<dt>${term}</dt><dd>${meaning}</dd>`)}
<dt>worth it</dt><dd>The pair’s F1 is more than ${kSameF1} over the small guard alone and over random escalation of as many rows. A router must also be more than ${kSameF1} over the best rule of entropy with as many, and a rule of entropy not more than that under the best router. The rivals are read off their lines.</dd></dl>
<h3>The rules</h3>
<p>Rows go to the large guard …</p>
<dl class="terms">${rules.map((rule) => markup`<dt>${ruleName(rule, false)}</dt><dd>… ${kRules[rule].about}.</dd>`)}</dl></section>`;
}
