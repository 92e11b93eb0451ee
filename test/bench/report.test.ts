// Tables, charts, targets and heats.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArguments } from '../../bench/arguments.js';
import { barChart } from '../../bench/report/bar-chart.js';
import type { Figure } from '../../bench/report/figure.js';
import { figureTable } from '../../bench/report/table.js';
import { outcomes, type Target } from '../../bench/report/targets.js';
import { planHeats } from '../../bench/trial/heats.js';

const kOurs: Figure = {
  case: 'latency',
  point: '64-token <message>',
  contender: 'saferoute-int8',
  unit: 'ms',
  median: 50,
  p95: 61,
  samples: 9,
  ratio: 1,
  share: 0.8,
};
const kTheirs: Figure = { ...kOurs, contender: 'llama-q8', median: 200, p95: 222, ratio: 0.25, share: null };

test('the table has every figure, and names a point once', () => {
  const lines = figureTable([kOurs, kTheirs]).split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines[2] as string, /^64-token <message> +saferoute-int8 +50\.0 ms +61\.0 +1\.00 × +80 %$/);
  assert.match(lines[3] as string, /^ +llama-q8 +200 ms +222 +0\.25 ×$/);
});

test('a chart has a bar as long as each figure, its value, and the factor, with text escaped', () => {
  const svg = barChart('One check', 'a machine', [kOurs, kTheirs]);
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)" height="18"/g)].map((match) => Number(match[1]));
  assert.equal(widths.length, 2);
  assert.ok(Math.abs((widths[1] as number) / (widths[0] as number) - 4) < 0.01);
  const parts = [
    'One check',
    'Shorter is better. a machine',
    '50.0 ms',
    '200 ms (ours 4.0 × as fast)',
    '64-token &lt;message&gt;',
  ];
  for (const part of parts) {
    assert.ok(svg.includes(part), part);
  }
});

test('what is written above a chart stays within it, on as many lines as it takes', () => {
  const svg = barChart('word '.repeat(60), 'npm run bench '.repeat(40), [kOurs, kTheirs]);
  const lines = [...svg.matchAll(/<text x="16" y="([\d.]+)" font-size="(\d+)"[^>]*>([^<]*)</g)];
  const heading = lines.filter(([, , size]) => size === '16');
  assert.equal(
    heading
      .map(([, , , text]) => text)
      .join(' ')
      .trim(),
    `W${'word '.repeat(60).slice(1).trim()}`,
  );
  for (const [, , size, text] of lines) assert.ok((text as string).length * Number(size) * 0.56 < 744, text);
  const places = lines.map(([, y]) => Number(y));
  assert.deepEqual(
    places,
    [...places].sort((one, other) => one - other),
  );
});

test('a chart is the same where it is imported, as the bench does, and where it is required', async () => {
  const imported = await import('../../bench/report/bar-chart.js');
  assert.equal(imported.barChart('a', 'b', [kOurs, kTheirs]), barChart('a', 'b', [kOurs, kTheirs]));
});

test('every one of our contenders is drawn as ours, a cascade too', () => {
  const svg = barChart('Cascade', '', [{ ...kOurs, contender: 'cascade-20-qwen3-1.7b', ratio: 0.5 }, kTheirs]);
  assert.equal(svg.match(/class="f-blue"/g)?.length, 1);
  assert.ok(!svg.includes('50.0 ms ('));
});

test('a target is met within its bound and missed beyond it', () => {
  const target: Target = {
    case: 'latency',
    point: null,
    contender: 'llama-q8',
    of: 'ratio',
    bound: 'at most',
    limit: 0.25,
    about: '',
  };
  const met = (change: Partial<Target>) => outcomes([{ ...target, ...change }], [kOurs, kTheirs]).map((one) => one.met);
  assert.deepEqual(met({}), [true]);
  assert.deepEqual(met({ limit: 0.24 }), [false]);
  assert.deepEqual(met({ bound: 'at least' }), [true]);
  assert.deepEqual(met({ bound: 'at least', limit: 0.26 }), [false]);
  assert.deepEqual(met({ of: 'share' }), [], 'a figure without a share cannot be judged');
  assert.deepEqual(met({ point: /^another/ }), []);
});

test('heats hold what fits, ours leads each, processes are counted once', () => {
  const need = (entry: string, bytes: number, key = entry) => ({ entry, key, bytes });
  const left: string[] = [];
  const heats = planHeats(
    need('ours', 2),
    [need('ours-cold', 2, 'ours'), need('a', 5), need('a-cold', 5, 'a'), need('b', 4), need('huge', 9)],
    10,
    (entry) => left.push(entry),
  );
  assert.deepEqual(heats, [
    ['ours', 'ours-cold', 'a', 'a-cold'],
    ['ours', 'b'],
  ]);
  assert.deepEqual(left, ['huge']);
});

test('arguments are held against what there is', () => {
  const known = { cases: ['latency', 'router'], contenders: ['llama-q8'] };
  assert.deepEqual(parseArguments(['latency', '--quick', '--contender', 'llama-q8'], known), {
    cases: ['latency'],
    effort: 'quick',
    contenders: new Set(['llama-q8']),
    dry: false,
    help: false,
  });
  assert.equal(parseArguments(['--full'], known).effort, 'full');
  assert.throws(() => parseArguments(['latencey'], known), /'latencey'; there are latency, router/);
  assert.throws(() => parseArguments(['--contender', 'x'], known), /'x'; there are llama-q8/);
  assert.throws(() => parseArguments(['--quick', '--full'], known), /exclude/);
});
