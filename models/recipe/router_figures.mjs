// Means over the sets that count, and what of all figures results.json keeps.

/** The sets that hold both classes and were named beforehand as those that count. */
export const kMeanSets = [
  'in_domain',
  'openai_moderation',
  'xstest',
  'hatecheck',
  'diasafety_test',
  'harmbench_response',
  'toxicchat',
];
export const kOtherSets = [
  'xstest_response',
  'cyberseceval_frr',
  'harmbench_behaviors',
  'strongreject',
  'simplesafetytests',
];
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** Means of one rule over the sets that count. */
function meansOf({ sets }, rule) {
  const chosen = kMeanSets.map((name) => sets.find((set) => set.name === name));
  const of = (pick) => mean(chosen.map(pick));
  const routed = chosen.every((set) => set.rules[rule].routing_f1 !== null);
  return {
    f1: of((set) => set.rules[rule].f1),
    auprc: of((set) => set.rules[rule].auprc),
    escalated: of((set) => set.rules[rule].escalated),
    flop_per_row: of((set) => set.rules[rule].flop_per_row),
    routing_f1: routed ? of((set) => set.rules[rule].routing_f1) : null,
    area: chosen.every((set) => set.area[rule] != null) ? of((set) => set.area[rule]) : null,
  };
}

/** F1 of every rule where it escalates the share of each set that the router does, mean over the sets that count. */
function atRoutersRate({ sets }, rule) {
  return mean(
    kMeanSets.map((name) => {
      const { rules, curves } = sets.find((set) => set.name === name);
      return interpolate(curves[rule], rules.router.escalated);
    }),
  );
}

/** On the line between the two points around `escalated`. */
function interpolate(curve, escalated) {
  const after = curve.findIndex((point) => point.escalated >= escalated);
  const [low, high] = [curve[Math.max(0, after - 1)], curve[after]];
  if (low === high || high.escalated === low.escalated) return high.f1;
  return low.f1 + ((high.f1 - low.f1) * (escalated - low.escalated)) / (high.escalated - low.escalated);
}

/** What results.json keeps: every router that was tried, and all figures of the one that ships. */
export function summaryOf(tried, best, shipped) {
  const { calibration } = best;
  return {
    mean_sets: kMeanSets,
    shipped: { recipe: best.recipe, seed: best.seed, threshold: calibration.escalation.threshold },
    validation: { chosen: calibration.chosen, bounds: calibration.bounds, calibrated: calibration.calibrated },
    trained: tried.map(({ recipe, seed, calibration, evaluation }) => ({
      recipe,
      seed,
      threshold: calibration.escalation.threshold,
      validation_f1: calibration.chosen.f1,
      validation_escalated: calibration.chosen.escalated,
      ...meansOf(evaluation, 'router'),
    })),
    rules: Object.fromEntries(Object.keys(shipped.sets[0].rules).map((rule) => [rule, meansOf(shipped, rule)])),
    at_routers_rate: Object.fromEntries(['random', 'entropy'].map((rule) => [rule, atRoutersRate(shipped, rule)])),
    sets: shipped.sets.map(({ name, rows, unsafe, hard, rules, area }) => ({ name, rows, unsafe, hard, rules, area })),
    domains: shipped.sets.flatMap(({ name, domains }) =>
      domains.filter(({ escalation }) => escalation === 'hurts').map((domain) => ({ set: name, ...domain })),
    ),
    settings: shipped.settings,
    latency_ms: shipped.latency_ms,
    machine: shipped.machine,
  };
}
