// The command line of the bench.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseArguments } from '../../bench/arguments.js';
import { loadAddon } from '../../lib/native.js';

const kRoot = join(__dirname, '..', '..');
const kKnown = {
  cpu: { cases: ['latency', 'matrix'], contenders: ['llama-q8'] },
  cuda: { cases: ['latency', 'test-set'], contenders: ['saferoute-bf16'] },
};

test('arguments say what is run, on what, and by whom', () => {
  assert.deepEqual(parseArguments(['latency', '--quick', '--contender', 'llama-q8'], kKnown), {
    cases: ['latency'],
    device: 'cpu',
    effort: 'quick',
    contenders: new Set(['llama-q8']),
    native: null,
    dry: false,
    help: false,
  });
  const onGpu = parseArguments(['--device', 'cuda', 'test-set', '--full', '--native', 'results.json'], kKnown);
  assert.deepEqual(
    [onGpu.device, onGpu.cases, onGpu.effort, onGpu.native],
    ['cuda', ['test-set'], 'full', 'results.json'],
  );
});

test('arguments are held against what there is on the device', () => {
  const refused: [string[], RegExp][] = [
    [['latencey'], /'latencey'; there are latency, matrix/],
    [['matrix', '--device', 'cuda'], /on the device cuda is called 'matrix'; there are latency, test-set/],
    [['--contender', 'x'], /'x'; there are llama-q8/],
    [['--contender', 'llama-q8', '--device', 'cuda'], /'llama-q8'; there are saferoute-bf16/],
    [['--device', 'gpu'], /one of cpu, cuda, got 'gpu'/],
    [['--native', 'results.json'], /--native belongs to --device cuda/],
    [['--quick', '--full'], /exclude/],
  ];
  for (const [argv, message] of refused) assert.throws(() => parseArguments(argv, kKnown), message);
});

/** The end of a run of the bench that must be over before anything is measured. */
function bench(...argv: string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join('bench', 'main.ts'), ...argv], {
    cwd: kRoot,
    encoding: 'utf8',
  });
  return { status, stderr };
}

test('the command refuses what it cannot run in a line of its own', () => {
  const { status, stderr } = bench('--device', 'cuda', 'matrix');
  assert.equal(status, 1);
  assert.match(stderr, /^no case on the device cuda is called 'matrix'; there are ceiling, latency,.*\n$/);
});

test('without a GPU, a run on one ends with what saferoute doctor says of it', async (context) => {
  const { facts, problem } = await loadAddon().cudaDevice();
  if (facts !== null) return context.skip(`there is a GPU: ${facts.name}`);
  const { status, stderr } = bench('--device', 'cuda', 'latency');
  assert.equal(status, 1);
  assert.equal(
    stderr,
    `--device cuda: no guard can run on a GPU here. saferoute doctor says: cuda not used: ${problem}\n`,
  );
});
