// The part of the model card that compares ways to escalate: three recipes with five seeds each, and the paper's own table.
import { percent, spread, table } from './card_text.mjs';

/**
 * SafeRoute (arXiv 2502.12464), Llama Guard 3 1B and 8B: F1 and routing F1, means over its six sets (tables 7 and 3), and time as a multiple of
 * the small guard's.
 */
const kPaper = {
  small: { f1: 0.679, routing_f1: null, cost: 1 },
  large: { f1: 0.75, routing_f1: null, cost: 4.18 },
  random: { f1: 0.712, routing_f1: null, cost: 3.04 },
  entropy: { f1: 0.742, routing_f1: 0.3465, cost: 2.31 },
  'entropy+ts': { f1: 0.751, routing_f1: 0.1655, cost: 4.68 },
  'entropy+cc': { f1: 0.743, routing_f1: 0.2949, cost: 2.33 },
  'entropy+bc': { f1: 0.731, routing_f1: 0.2023, cost: 2.64 },
  router: { f1: 0.748, routing_f1: 0.4964, cost: 1.84 },
  oracle: { f1: 0.822, routing_f1: 1, cost: null },
};
const kRouted = ['entropy', 'entropy+ts', 'entropy+cc', 'entropy+bc', 'router'];
const kNames = { router: 'router (SafeRoute)', 'entropy+ts': '+TS', 'entropy+cc': '+CC', 'entropy+bc': '+BC' };

const nameOf = (rule) => kNames[rule] ?? rule;
const recipesOf = ({ trained }) => [...new Set(trained.map(({ recipe }) => recipe))];
const ofRecipe = ({ trained }, recipe, key) => trained.filter((one) => one.recipe === recipe).map((one) => one[key]);

/** Every recipe, mean and standard deviation over its seeds, and the rules that need no training. */
export function seedsTable(results) {
  const trained = recipesOf(results).map((recipe) => [
    recipe,
    ...['validation_f1', 'f1', 'escalated', 'routing_f1', 'area'].map((key) => spread(ofRecipe(results, recipe, key))),
  ]);
  const untrained = ['random', 'entropy', 'entropy+ts', 'entropy+cc', 'entropy+bc'].map((rule) => {
    const { f1, escalated, routing_f1, area } = results.rules[rule];
    return [nameOf(rule), '–', ...[f1, escalated, routing_f1, area].map(percent)];
  });
  return table(['rule', 'validation F1', 'F1', 'escalated', 'routing F1', 'area'], [...trained, ...untrained]);
}

/** Beside the paper's pair. */
export function paperTable(results) {
  const cost = (rule) => results.rules[rule].flop_per_row / results.rules.small.flop_per_row;
  const rows = Object.entries(kPaper).map(([rule, paper]) => {
    const official = (key) => spread(ofRecipe(results, 'official', key));
    const ours =
      rule === 'router'
        ? [official('f1'), official('routing_f1')]
        : ['f1', 'routing_f1'].map((key) => percent(results.rules[rule][key]));
    const theirs = [
      percent(paper.f1),
      percent(paper.routing_f1),
      paper.cost === null ? '–' : `× ${paper.cost.toFixed(2)}`,
    ];
    return [nameOf(rule), ...theirs, ...ours, `× ${cost(rule).toFixed(1)}`];
  });
  return table(['rule', 'paper: F1', 'routing F1', 'time', 'here: F1', 'routing F1', 'compute'], rows);
}

/** The order of the methods by F1 and by routing F1, there and here, and on how many pairs of methods both agree. */
export function rankings(results) {
  const here = (key) => ({
    ...Object.fromEntries(kRouted.map((rule) => [rule, results.rules[rule][key]])),
    router: mean(ofRecipe(results, 'official', key)),
  });
  return ['f1', 'routing_f1']
    .map((key) => {
      const there = Object.fromEntries(kRouted.map((rule) => [rule, kPaper[rule][key]]));
      const [agreed, pairs] = agreement(there, here(key));
      const title = key === 'f1' ? 'By F1' : 'By routing F1';
      return `- ${title}: ${order(there)} in the paper; ${order(here(key))} here. ${agreed} of ${pairs} pairs of methods stand in the same order.`;
    })
    .join('\n');
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const order = (figures) =>
  Object.entries(figures)
    .sort(([, a], [, b]) => b - a)
    .map(([rule]) => nameOf(rule))
    .join(' > ');

function agreement(there, here) {
  const pairs = kRouted.flatMap((a, place) => kRouted.slice(place + 1).map((b) => [a, b]));
  const agreed = pairs.filter(([a, b]) => Math.sign(there[a] - there[b]) === Math.sign(here[a] - here[b]));
  return [agreed.length, pairs.length];
}
