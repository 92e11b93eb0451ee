// Writes the model card from results.json: node card.mjs RESULTS CARD. No figure in the card is typed by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { paperTable, rankings, seedsTable } from './card_rules.mjs';
import { percent, table } from './card_text.mjs';

const kGap = 0.03;
const kLoss = 0.01;
const kRate = 0.4;
const kOrigins = {
  in_domain: 'template groups of the training sources that nothing else saw',
  openai_moderation: 'OpenAI moderation set, MIT',
  xstest: 'XSTest prompts, CC-BY-4.0',
  hatecheck: 'HateCheck, CC-BY-4.0',
  diasafety_test: 'DiaSafety test split, Apache-2.0; prompt and response',
  harmbench_response: 'HarmBench responses, MIT; prompt and response',
  toxicchat: 'ToxicChat test split, CC-BY-NC-4.0; evaluation only',
  xstest_response: 'XSTest responses; prompt and response, evaluation only',
};
const kBothClasses = Object.keys(kOrigins);
const kOneClass = {
  cyberseceval_frr: 'fpr',
  harmbench_behaviors: 'recall',
  strongreject: 'recall',
  simplesafetytests: 'recall',
};
const kFigureNames = { fpr: 'false positives', recall: 'recall' };
const kShapeKeys = [
  'hidden_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'head_dim',
  'intermediate_size',
  'vocab_size',
];

const setOf = ({ sets }, name) => sets.find((set) => set.name === name);

/** The two decoders. */
function shapes({ guards }) {
  const rows = ['small', 'large'].map((role) => {
    const { shape } = guards.settings[role];
    return [role, `${(guards.parameters[role] / 1e6).toFixed(2)} M`, ...kShapeKeys.map((key) => shape[key])];
  });
  return table(['guard', 'parameters', 'hidden', 'layers', 'heads', 'kv heads', 'head_dim', 'MLP', 'vocabulary'], rows);
}

/** What was aimed at and what was measured. */
function aims({ rules, at_routers_rate: atRate }) {
  const { small, large, router } = rules;
  const signed = (value) => `${value < 0 ? '-' : '+'}${(100 * Math.abs(value)).toFixed(2)}`;
  const lines = [
    [
      `the large guard's mean F1 is at least 3 points above the small one's: ${signed(large.f1 - small.f1)}`,
      large.f1 - small.f1 >= kGap,
    ],
    [
      `routed mean F1 is within 1 point of always-large: ${signed(router.f1 - large.f1)}`,
      large.f1 - router.f1 <= kLoss,
    ],
    [`at a mean escalation rate under 40 %: ${percent(router.escalated)} %`, router.escalated < kRate],
    [
      `routed mean F1 is above random escalation at the same rates: ${signed(router.f1 - atRate.random)}`,
      router.f1 > atRate.random,
    ],
    [`… and above entropy's at the same rates: ${signed(router.f1 - atRate.entropy)}`, router.f1 > atRate.entropy],
    [
      `area under F1 against escalation rate, the router's above entropy's and random's: ${percent(router.area)} against ${percent(rules.entropy.area)} and ${percent(rules.random.area)}`,
      router.area > rules.entropy.area && router.area > rules.random.area,
    ],
  ];
  return lines.map(([text, met]) => `- ${text} (${met ? 'met' : '**missed**'})`).join('\n');
}

/** F1 per set and rule, with the means. */
function f1Table(results) {
  const rules = [
    'small',
    'large',
    'router',
    'entropy',
    'entropy+ts',
    'entropy+cc',
    'entropy+bc',
    'random',
    'ensemble',
    'oracle',
  ];
  const row = (name) => {
    const set = setOf(results, name);
    return [name, set.rows, ...rules.map((rule) => percent(set.rules[rule].f1)), percent(set.rules.router.escalated)];
  };
  const means = rules.map((rule) => `**${percent(results.rules[rule].f1)}**`);
  const counted = results.mean_sets.map(row);
  const others = kBothClasses.filter((name) => !results.mean_sets.includes(name)).map(row);
  const mean = [`**mean of the ${counted.length}**`, '', ...means, `**${percent(results.rules.router.escalated)}**`];
  return table(['set', 'rows', ...rules, 'escalated'], [...counted, mean, ...others]);
}

/** Precision, recall, F1, AUPRC and false positives of each reader per set. */
function detailTable(results) {
  const rows = kBothClasses.flatMap((name) =>
    ['small', 'large', 'router'].map((rule) => {
      const figures = setOf(results, name).rules[rule];
      return [`${name}, ${rule}`, ...['precision', 'recall', 'f1', 'auprc', 'fpr'].map((key) => percent(figures[key]))];
    }),
  );
  return table(['set, reader', 'precision', 'recall', 'F1', 'AUPRC', 'false positives'], rows);
}

/** False positives on harmless sets, recall on harmful ones. */
function oneClassTable(results) {
  const rows = Object.entries(kOneClass).map(([name, key]) => {
    const { rows, rules } = setOf(results, name);
    const values = ['small', 'large', 'router'].map((rule) => percent(rules[rule][key]));
    return [name, rows, kFigureNames[key], ...values, percent(rules.router.escalated)];
  });
  return table(['set', 'rows', 'figure', 'small', 'large', 'routed', 'escalated'], rows);
}

/** Domains where the large guard is worse. */
function hurt({ domains }) {
  if (domains.length === 0)
    return 'In no domain of any set is the large guard worse by more than chance (exact McNemar test at 5 %, Holm).';
  const named = domains.map(
    ({ set, name, only_large_right: won, only_small_right: lost }) =>
      `${name === set ? set : `${set}, ${name}`} (${won} rows put right, ${lost} put wrong)`,
  );
  return `Escalation should be off where the large guard is worse than the small one by more than chance (exact McNemar test at 5 %, Holm): ${named.join('; ')}.`;
}

function card(results) {
  const { guards, shipped, validation } = results;
  const { corpus } = guards;
  const f1Of = (name) => setOf(results, name).rules.large.f1;
  const weakest = results.mean_sets.slice(1).reduce((a, b) => (f1Of(b) < f1Of(a) ? b : a));
  const values = {
    shapes: shapes(results),
    aims: aims(results),
    f1: f1Table(results),
    detail: detailTable(results),
    one_class: oneClassTable(results),
    hurt: hurt(results),
    seeds: seedsTable(results),
    paper: paperTable(results),
    rankings: rankings(results),
    recipe: shipped.recipe,
    seed: shipped.seed,
    threshold: shipped.threshold,
    megabytes: (results.bytes / 1e6).toFixed(1),
    in_domain_f1: percent(f1Of('in_domain')),
    weakest,
    weakest_f1: percent(f1Of(weakest)),
    harmless_fpr: percent(setOf(results, 'cyberseceval_frr').rules.large.fpr),
    guard_rows: corpus.guards.rows.toLocaleString('en'),
    test_rows: corpus.test.rows.toLocaleString('en'),
    router_rows: results.router_rows.rows.toLocaleString('en'),
    hard_rows: results.router_rows.hard.toLocaleString('en'),
    valid_rows: validation.calibrated.rows.toLocaleString('en'),
    valid_small: percent(validation.bounds.small.f1),
    valid_large: percent(validation.bounds.large.f1),
    valid_routed: percent(validation.chosen.f1),
    valid_escalated: percent(validation.chosen.escalated),
    valid_at_most: percent(validation.chosen.escalated_at_most),
    temperature: results.settings['entropy+ts'].temperature.toFixed(2),
    content_free: results.settings['entropy+cc'].prior.toFixed(2),
    hidden: guards.settings.small.shape.hidden_size,
    origins: Object.entries(kOrigins)
      .map(([name, text]) => `- ${name}: ${text}`)
      .join('\n'),
  };
  const text = readFileSync(fileURLToPath(new URL('card.md', import.meta.url)), 'utf8');
  return text.replace(/\[\[(\w+)\]\]/g, (mark, name) => {
    if (!(name in values)) throw new Error(`the card asks for ${mark}, which nothing fills`);
    return String(values[name]);
  });
}

const [source, target] = process.argv.slice(2);
writeFileSync(target, card(JSON.parse(readFileSync(source, 'utf8'))));
