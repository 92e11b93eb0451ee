// Tables, charts, targets and heats.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { peakOf } from '../../bench/cases/ceiling.js';
import { machineCaption, machineName } from '../../bench/machine.js';
import { barChart } from '../../bench/report/bar-chart.js';
import { type Figure, quoted } from '../../bench/report/figure.js';
import { isTargetGpu, kGpuTargets } from '../../bench/report/gpu-targets.js';
import { nativePeak } from '../../bench/report/native-results.js';
import { figureTable } from '../../bench/report/table.js';
import { outcomes, type Target, targetTable } from '../../bench/report/targets.js';
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
  quoted: null,
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
  const met = (change: Partial<Target>) =>
    outcomes([{ ...target, ...change }], [kOurs, kTheirs], true).map((one) => one.met);
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

test('a quoted figure is marked as one, and its source is named, in the table and in the chart', () => {
  const theirs = quoted({ case: 'test-set', point: 'all', contender: 'paper', unit: 's' }, 18.46, 'a paper, Table 7');
  const ours = { ...kOurs, case: 'test-set', point: 'all', unit: 's' as const, median: 3 };
  const lines = figureTable([ours, theirs]).split('\n');
  assert.match(lines[3] as string, /^ +paper +18\.5 s +quoted$/);
  assert.equal(lines[4], 'quoted: a paper, Table 7');
  const svg = barChart('A set', 'a machine', [ours, theirs]);
  assert.ok(svg.includes('18.5 s (quoted)'));
  assert.ok(svg.includes('Quoted (hollow): a paper, Table 7.'));
  assert.equal(
    svg.match(/<rect [^>]*class="f-paper s-grey"[^>]*height="18"|<rect [^>]*height="18" class="f-paper s-grey"/g)
      ?.length,
    1,
  );
});

test('targets of a GPU are judged on the class that they were set for, and shown on any other', () => {
  const ours = { ...kOurs, case: 'test-set', contender: 'cascade-20-llama-guard-3-8b-bf16', unit: 's' as const };
  const figures = [
    { ...ours, median: 3.4 },
    { ...ours, contender: 'always-llama-guard-3-8b-bf16', median: 11 },
    { ...kOurs, case: 'prefill', contender: 'saferoute-bf16-cold', point: 'g, 4096 new tokens', share: 0.61 },
    { ...kOurs, case: 'prefill', contender: 'saferoute-bf16-cold', point: 'g, 512 new tokens', share: 0.2 },
    { ...kOurs, contender: 'saferoute-bf16', point: 'llama-guard-3-1b', median: 1.5 },
  ];
  const met = (judged: boolean) => outcomes(kGpuTargets, figures, judged).map((one) => one.met);
  assert.deepEqual(met(true), [true, true, false, true]);
  assert.deepEqual(met(false), [null, null, null, null]);
  assert.match(
    targetTable(outcomes(kGpuTargets, figures, false)),
    /seconds of the set, 20 % .* 3\.40 +not judged here/,
  );
  const names = ['NVIDIA H200', 'NVIDIA H100 80GB HBM3', 'NVIDIA GH200 480GB', 'NVIDIA A100-SXM4-80GB', 'NVIDIA H20'];
  assert.deepEqual(names.map(isTargetGpu), [true, true, true, false, false]);
});

test('results of a run on a GPU carry its name, and their caption its driver', () => {
  const gpu = { name: 'NVIDIA H100 80GB HBM3', computeCapability: '9.0', memoryGiB: 80, driver: '580.95', fp8: true };
  const versions = { driverCuda: '13.0', cuda: '12.9', cublasLt: '12.9.1' };
  const host = { cpu: 'A CPU', cores: 16, memoryGiB: 128, instructionSets: ['avx2'], os: 'linux-x64' };
  assert.equal(machineName({ ...host, gpu: { ...gpu, ...versions } }), 'nvidia-h100-80gb-hbm3');
  assert.equal(
    machineCaption({ ...host, gpu: { ...gpu, ...versions } }),
    'NVIDIA H100 80GB HBM3, 80 GiB, driver 580.95, CUDA 12.9, cuBLASLt 12.9.1; A CPU, 16 cores',
  );
  assert.equal(machineName({ ...host, gpu: null }), 'a-16-cores-avx2');
});

test("the native bench's product in bf16 stands in for the peak, of the same GPU only", () => {
  const directory = mkdtempSync(join(tmpdir(), 'saferoute-native-'));
  try {
    const path = join(directory, 'results.json');
    const product = (operands: string, median: number) => ({
      name: `product of 8192 x 8192 x 8192 by cuBLASLt, ${operands}`,
      unit: 'TFLOP/s',
      median,
    });
    const write = (figures: object[]) =>
      writeFileSync(path, JSON.stringify({ machine: { gpu: 'NVIDIA H200' }, figures }));
    write([product('bf16', 700), product('FP8', 1300), { name: 'single check', unit: 'ms', median: 2 }]);
    const figure = nativePeak(path, 'NVIDIA H200');
    assert.deepEqual([figure.median, figure.unit, figure.quoted], [700_000, 'GOP/s', path]);
    assert.deepEqual(peakOf([figure]), new Map([['bf16', 700e9]]));
    writeFileSync(path, JSON.stringify({ device: 'NVIDIA H200', figures: [product('bf16', 650)] }));
    assert.equal(nativePeak(path, 'NVIDIA H200').median, 650_000, 'the figures of one case');
    assert.throws(() => nativePeak(path, 'NVIDIA A100'), /'NVIDIA H200'.*'NVIDIA A100'/);
    write([product('FP8', 1300)]);
    assert.throws(() => nativePeak(path, 'NVIDIA H200'), /no product in bf16/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the peak is the best of each kind of weights, and none where nothing was measured', () => {
  const rate = (contender: string, median: number) => ({ ...kOurs, contender, unit: 'GOP/s' as const, median });
  const figures = [rate('gemm-int8', 3000), rate('gemm-int8', 2000), rate('gemm-f32', 200)];
  assert.deepEqual(
    peakOf(figures),
    new Map([
      ['int8', 3e9],
      ['f32', 2e8],
    ]),
  );
  assert.equal(peakOf([]), null);
});
