/** The rules of escalation as the report shows them: in what order, by what name, and with which line and mark. */

import type { Mark } from '../../charts/marks.js';
import type { Paint } from '../../charts/palette.js';
import type { Evaluation, RuleName } from '../evaluation.js';

export interface RuleStyle {
  name: string;
  /** Completes "Rows go to the large guard …". */
  about: string;
  mark: Mark;
  /** A pattern of dashes, '' for a solid line. */
  dashes: string;
  width: number;
}

export const kRules: Readonly<Record<RuleName, RuleStyle>> = {
  small: rule('small alone', 'never: the small guard reads everything', 'circle', true, 'ink', '1 3', 1.5),
  large: rule('large alone', 'always: the large guard reads everything', 'square', true, 'ink', '1 3', 1.5),
  random: rule('random', 'by chance', 'cross', false, 'grey', '7 4', 1.6),
  entropy: rule('entropy', 'where the small guard’s verdict has the most entropy', 'up', false, 'orange', '', 1.8),
  'entropy+ts': rule(
    'entropy, temperature',
    'as entropy, of a score with a fitted temperature; the order of the rows stays, so its line is that of entropy, cut elsewhere',
    'up',
    true,
    'orange',
    '2 3',
    1.8,
  ),
  'entropy+cc': rule(
    'entropy, contextual',
    'as entropy, of a score measured against that of an empty message',
    'down',
    true,
    'gold',
    '6 3',
    1.8,
  ),
  'entropy+bc': rule(
    'entropy, batch',
    'as entropy, of a score measured against the mean score of a batch',
    'down',
    false,
    'gold',
    '9 3 2 3',
    1.8,
  ),
  router: rule('router', 'where the router’s hardness is over its threshold', 'circle', false, 'blue', '', 2.8),
  benefit: rule('benefit', 'where the router for benefit expects a gain', 'square', false, 'green', '10 3', 2.2),
  budget: rule(
    'budget',
    'where the router’s hardness (without a router: entropy) is in the top share that the budget allows; its line is that of the same ranking, cut elsewhere',
    'diamond',
    true,
    'blue',
    '3 3',
    2,
  ),
  ensemble: rule(
    'ensemble',
    'as by the router (without one: by entropy); the verdict on them is by the mean of both guards’ logits',
    'diamond',
    false,
    'purple',
    '12 3 2 3',
    2.2,
  ),
  oracle: rule(
    'oracle',
    'exactly where the small guard errs and the large one does not: known from the labels, a limit and no rule to run',
    'plus',
    false,
    'ink',
    '2 3',
    1.6,
  ),
};

/** Kinds of calibration in a pair's escalation, and the rules of entropy with them. */
const kCalibrated: ReadonlyMap<unknown, RuleName> = new Map([
  ['temperature', 'entropy+ts'],
  ['contextual', 'entropy+cc'],
  ['batch', 'entropy+bc'],
]);

export const kRuleNames = Object.keys(kRules) as RuleName[];

/** The rules that `figures` holds, in the report's order. */
export function rulesOf(figures: Partial<Record<RuleName, unknown>>): RuleName[] {
  return kRuleNames.filter((name) => figures[name] !== undefined);
}

/** Which rule the pair runs: what its escalation says, or else the best that there is a router for. */
export function ruleInForce({ pair, mean, sets }: Evaluation): RuleName | null {
  const evaluated = sets.length > 0 ? { ...sets[0]?.rules, ...mean.rules } : mean.rules;
  const said = saidRule(pair.escalation);
  const candidates: (RuleName | null)[] = [said, 'router', 'benefit', 'entropy'];
  return candidates.find((name): name is RuleName => name !== null && evaluated[name] !== undefined) ?? null;
}

/** The number of hardness that the pair's rule cuts at, where it is a number of hardness and said. */
export function hardnessCut({ pair, settings }: Evaluation): number | null {
  const { kind, threshold } = fields(pair.escalation);
  if (kind === 'router' && typeof threshold === 'number') return threshold;
  return settings.router?.threshold ?? null;
}

function saidRule(escalation: unknown): RuleName | null {
  const { kind, calibration } = fields(escalation);
  if (kind === 'never') return 'small';
  if (kind === 'always') return 'large';
  if (kind === 'router' || kind === 'random' || kind === 'budget') return kind;
  if (kind !== 'entropy') return null;
  return kCalibrated.get(fields(calibration).kind) ?? 'entropy';
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function rule(
  name: string,
  about: string,
  shape: Mark['shape'],
  hollow: boolean,
  colour: Paint,
  dashes: string,
  width: number,
): RuleStyle {
  return { name, about, mark: { shape, hollow, colour }, dashes, width };
}
