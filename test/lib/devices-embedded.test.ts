// The embedded pair in every precision of every device that is there, held against the CPU in f32 over a few hundred texts.
import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { PairedGuard } from '../../lib/guard.js';
import type { PairOptions, Precision } from '../../lib/options.js';
import { SafeRoute } from '../../lib/saferoute.js';
import { gpuFor } from './gpu.js';
import { judgedTexts } from './judged-texts.js';

/** A score nearer to the bound of a verdict than this says nothing in f32 either. */
const kMargin = 0.05;
/** Of the rows, whose verdict may be another in spite of a margin. */
const kFlipShare = 0.005;
const kFeatureEvery = 8;

interface Candidate {
  device: 'cpu' | 'cuda';
  precision: Precision;
  /** Of each feature with that of f32, at least. */
  cosine: number;
  /** Which verdicts are held to `kFlipShare`. In FP8 a hardness near its threshold may fall on the other side of it. */
  judged: readonly (keyof Scores)[];
}

const kCandidates: readonly Candidate[] = [
  { device: 'cpu', precision: 'int8', cosine: 0.99, judged: ['small', 'large', 'routed'] },
  { device: 'cuda', precision: 'bf16', cosine: 0.999, judged: ['small', 'large', 'routed'] },
  { device: 'cuda', precision: 'fp8', cosine: 0.94, judged: ['small', 'large'] },
];

/** P(unsafe) of one text: by each guard, and by the pair under its own rule. */
interface Scores {
  small: number;
  large: number;
  routed: number;
}

async function scoresOf(options: PairOptions): Promise<Scores[]> {
  await using both = await SafeRoute.load(undefined, { ...options, escalation: { kind: 'always' } });
  await using pair = await SafeRoute.load(undefined, options);
  const scores: Scores[] = [];
  for await (const { small, large } of both.checkAll(judgedTexts())) {
    scores.push({ small: small.score, large: large?.score ?? assert.fail('the large guard reads all'), routed: 0 });
  }
  let row = 0;
  for await (const { score } of pair.checkAll(judgedTexts())) (scores[row++] as Scores).routed = score;
  assert.equal(row, scores.length);
  return scores;
}

function cosine(one: Float32Array, other: Float32Array): number {
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

async function featureOf(guard: PairedGuard | null, ids: Int32Array): Promise<Float32Array> {
  const { feature } = (await guard?.read(ids, { feature: true })) ?? assert.fail('the pair has both guards');
  return feature ?? assert.fail('a feature was asked for');
}

/** Whether the candidate can be run here; else the test has been skipped. */
async function isThere(context: TestContext, { device, precision }: Candidate): Promise<boolean> {
  if (device === 'cpu') return true;
  const facts = await gpuFor(context);
  if (facts === null) return false;
  if (precision === 'fp8' && !facts.fp8) context.skip(`${facts.name} has no products in FP8`);
  return precision !== 'fp8' || facts.fp8;
}

describe('the embedded pair, held against f32 on the CPU', () => {
  let reference: SafeRoute;
  let expected: Scores[];
  before(async () => {
    expected = await scoresOf({ precision: 'f32' });
    reference = await SafeRoute.load(undefined, { precision: 'f32' });
  });
  after(() => reference.close());

  it('is asked about texts that its guards judge differently', () => {
    assert.ok(expected.length >= 300);
    for (const guard of ['small', 'large', 'routed'] as const) {
      const unsafe = expected.filter((scores) => scores[guard] > 0.5).length / expected.length;
      assert.ok(unsafe > 0.2 && unsafe < 0.8, `${guard}: ${unsafe} of them are unsafe`);
    }
  });

  for (const candidate of kCandidates) {
    const { device, precision } = candidate;
    it(`gives the same verdicts in ${precision} on the device ${device}`, async (context) => {
      if (!(await isThere(context, candidate))) return;
      const scores = await scoresOf({ device, precision });
      for (const guard of candidate.judged) {
        const flips = expected.filter((row, at) => {
          const [before, after] = [row[guard], (scores[at] as Scores)[guard]];
          return before > 0.5 !== after > 0.5 && Math.abs(before - 0.5) >= kMargin;
        });
        const share = flips.length / expected.length;
        assert.ok(share <= kFlipShare, `${guard}: ${flips.length} of ${expected.length} verdicts turned over`);
      }
    });

    it(`has the same features in ${precision} on the device ${device}`, async (context) => {
      if (!(await isThere(context, candidate))) return;
      await using pair = await SafeRoute.load(undefined, { device, precision });
      for (const text of judgedTexts().filter((_, row) => row % kFeatureEvery === 0)) {
        for (const guard of ['small', 'large'] as const) {
          const ids = (await reference[guard]?.encode(text)) ?? assert.fail('the pair has both guards');
          const found = cosine(await featureOf(pair[guard], ids), await featureOf(reference[guard], ids));
          assert.ok(found >= candidate.cosine, `${guard}: cosine ${found}, at least ${candidate.cosine}`);
        }
      }
    });
  }
});
