/**
 * An evaluation of made-up guards on made-up rows, by the code that judges real ones: a small guard that errs near its cut, a large one that
 * errs less but for one domain, and a router that sees half of what it should.
 */
import { correctDomains } from '../../../../lib/train/domains.js';
import { evaluateSet, type RuleBook } from '../../../../lib/train/evaluate-set.js';
import type { Evaluation, SetEvaluation } from '../../../../lib/train/evaluation.js';
import { judgeRows } from '../../../../lib/train/judged-rows.js';
import { meansOver } from '../../../../lib/train/set-means.js';
import { seededRandom } from '../seeded-random.js';

export interface SimulatedSet {
  name: string;
  rows: number;
  /** Chance that a row is unsafe. */
  unsafe: number;
  domains: readonly string[];
}

export const kSimulatedSets: readonly SimulatedSet[] = [
  { name: 'WildGuardMix prompts', rows: 1699, unsafe: 0.44, domains: ['adversarial', 'vanilla'] },
  { name: 'ToxicChat', rows: 5083, unsafe: 0.07, domains: ['user-prompts'] },
  { name: 'OpenAI moderation', rows: 1680, unsafe: 0.31, domains: ['reddit', 'harm-native'] },
  { name: 'HarmBench', rows: 602, unsafe: 0.45, domains: ['direct', 'context', 'multilingual: Tiếng Việt'] },
];

/** The one where the large guard is worse. */
export const kHurtDomain = 'harm-native';

const kBook: RuleBook = {
  small: {},
  large: {},
  random: { share: 0.5 },
  entropy: { threshold: 0.5 },
  'entropy+ts': { threshold: 0.5, temperature: 2.3 },
  'entropy+cc': { threshold: 0.5, prior: 0.31 },
  'entropy+bc': { threshold: 0.5, prior: 0.22 },
  router: { threshold: 0.5 },
  benefit: { threshold: 0.5 },
  budget: { share: 0.2 },
  ensemble: { threshold: 0.5, large_weight: 0.5 },
  oracle: {},
};

export function simulatedEvaluation(sets: readonly SimulatedSet[] = kSimulatedSets): Evaluation {
  const judged = sets.map((set, index) => simulateSet(set, index + 1));
  correctDomains(judged);
  return {
    format: 'saferoute-evaluation/1',
    created: '2026-11-22T21:30:00.000Z',
    pair: {
      small: 'guards/Llama-Guard-3-1B',
      large: 'guards/Llama-Guard-3-8B',
      router: 'pair/router.safetensors',
      benefit: 'pair/benefit.safetensors',
      escalation: { kind: 'router', threshold: 0.5 },
      unsafe_at: 0.5,
    },
    machine: { cpu: 'Intel Xeon', threads: 2, precision: 'int8' },
    settings: kBook,
    notes: ['3 of 9,067 rows got no reading and are in no figure.'],
    latency_ms: { small: 41.2, large: 312, prompts: 200 },
    sets: judged,
    mean: meansOver(judged),
  };
}

function simulateSet({ name, rows, unsafe, domains }: SimulatedSet, seed: number): SetEvaluation {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const column = () => new Float32Array(rows);
  const [smallUnsafe, largeUnsafe, hardness, benefit] = [column(), column(), column(), column()];
  const label = Int8Array.from(smallUnsafe, () => (random() < unsafe ? 1 : 0));
  const source = Int32Array.from(smallUnsafe, () => Math.floor(random() * domains.length));
  for (let row = 0; row < rows; row++) {
    const truth = label[row] === 1 ? 1 : -1;
    const worse = domains[source[row] as number] === kHurtDomain;
    const [small, large] = [2.2 * truth + 2.4 * normal(), (worse ? 0.9 : 3.6) * truth + 2.2 * normal()];
    smallUnsafe[row] = small;
    largeUnsafe[row] = large;
    const gain = Number(large * truth > 0) - Number(small * truth > 0);
    hardness[row] = sigmoid(3.2 * Number(gain > 0) - 2.4 - 0.5 * Math.abs(small) + 0.9 * normal());
    benefit[row] = sigmoid(2.4 * gain - 0.9 - 0.4 * Math.abs(small) + 0.9 * normal());
  }
  const guard = (dir: string, logits: Float32Array) => ({
    dir,
    fingerprint: dir,
    precision: 'int8' as const,
    safe: column(),
    unsafe: logits,
  });
  const table = {
    path: `data/${name}.jsonl`,
    rows,
    ids: Array.from(label, (_, row) => `${name.slice(0, 4).toLowerCase()}-${row}`),
    sources: domains,
    source,
    group: Int32Array.from(label, (_, row) => row),
    label,
    small: guard('small', smallUnsafe),
    large: guard('large', largeUnsafe),
    tokens: { small: new Int32Array(rows).fill(90), large: new Int32Array(rows).fill(90) },
    contentFree: null,
    features: { path: '', offset: 0, rows, width: 0 },
  };
  const flop = { small: new Float64Array(rows).fill(1.8e11), large: new Float64Array(rows).fill(1.45e12) };
  return evaluateSet(
    {
      name,
      path: table.path,
      table,
      rows: judgeRows(table, 0.5, { hardness, benefit }),
      costs: { latency: { small: 41.2, large: 312, prompts: 50 }, flop },
    },
    kBook,
    0.5,
  );
}

function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
