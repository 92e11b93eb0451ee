// Trainings by the addon on small tables: what is learnt, what repeats, what goes on after an interruption, and what is refused.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openRouter } from '../../../lib/checkpoint/index.js';
import { readSafetensors } from '../../../lib/checkpoint/safetensors.js';
import { openFeatures } from '../../../lib/train/features-reader.js';
import { type LabelledTable, writeFeatures } from '../../../lib/train/features-writer.js';
import { hardnessOf } from '../../../lib/train/hardness.js';
import { digestOf } from '../../../lib/train/table-digest.js';
import { train, trainWith } from '../../../lib/train/train.js';
import type { TrainOptions, TrainProgress, TrainSummary } from '../../../lib/train/train-options.js';
import { scratchFolder } from '../checkpoint/scratch.js';
import { FakeAddon } from '../fake-addon.js';
import { coded } from '../rejected.js';
import { labelledTable } from './labelled-tables.js';
import { learnableTable } from './learnable-table.js';

const kEpochs = 12;
/** Enough that a stop asked for after the first of them comes long before the last. */
const kManyEpochs = 80;

class Bench {
  readonly folder: string;
  readonly features: string;

  private constructor(test: TestContext) {
    this.folder = scratchFolder(test);
    this.features = join(this.folder, 'features.safetensors');
  }

  static async open(test: TestContext, table: LabelledTable = learnableTable(700)): Promise<Bench> {
    const bench = new Bench(test);
    await writeFeatures(bench.features, table);
    return bench;
  }

  output(name: string): string {
    return join(this.folder, `${name}.safetensors`);
  }

  train(name: string, options: Partial<TrainOptions> = {}): Promise<TrainSummary> {
    return train(this.features, { output: this.output(name), epochs: kEpochs, ...options });
  }

  /** The tensors of a router, without what its header says of when it was made. */
  async weights(name: string): Promise<Buffer> {
    const { tensors } = await readSafetensors(this.output(name));
    return readFileSync(this.output(name)).subarray(Math.min(...[...tensors.values()].map(({ offset }) => offset)));
  }
}

describe('train', () => {
  for (const [recipe, kind, threshold] of [
    ['official', 'official', 0.5],
    ['dynaguard', 'card', 0.6],
    ['benefit', 'official', 0.5],
  ] as const) {
    it(`learns by the recipe ${recipe} what can be learnt, and writes it down`, async (test) => {
      const bench = await Bench.open(test, learnableTable(1500));
      const seen: TrainProgress[] = [];
      const summary = await bench.train(recipe, {
        recipe,
        epochs: 40,
        seed: 3,
        validShare: 0.2,
        onProgress: (progress) => seen.push(progress),
      });
      const { valid } = summary;
      assert.ok(valid?.auprc && valid.auprc > 0.85, `AUPRC ${valid?.auprc}`);
      assert.ok(valid.hard / valid.rows < 0.35, 'guessing would do as well');
      assert.deepEqual(
        seen.map(({ epoch }) => epoch),
        Array.from({ length: summary.epochs }, (_, epoch) => epoch + 1),
      );
      assert.equal(seen.at(-1)?.secondsLeft, 0);
      assert.deepEqual([summary.rows, summary.trainRows + valid.rows, summary.resumed], [1500, 1500, false]);

      const router = await openRouter(summary.path);
      assert.deepEqual([router.kind, router.recipe, router.inputSize], [kind, recipe, 12]);
      assert.deepEqual([router.defaultThreshold, summary.threshold], [threshold, threshold]);
      const split = { digest: digestOf(await openFeatures(bench.features)), seed: 3, validShare: 0.2 };
      assert.deepEqual(router.split, split);
      const { metadata } = await readSafetensors(summary.path);
      assert.equal(metadata.get('seed'), '3');
      assert.equal(metadata.get('epochs'), String(summary.epochs));
      assert.equal(metadata.get('kept_epoch'), String(summary.keptEpoch));
      assert.equal(JSON.parse(metadata.get('features') ?? '').small.fingerprint, 'small-print');
      assert.ok(!existsSync(`${summary.path}.state`), 'the state is gone');
    });
  }

  it('judges by the file as the training judged the weights that it kept', async (test) => {
    const bench = await Bench.open(test);
    const seen: TrainProgress[] = [];
    const { keptEpoch, valid } = await bench.train('card', {
      recipe: 'dynaguard',
      validShare: 0.3,
      onProgress: (progress) => seen.push(progress),
    });
    const best = Math.max(...seen.map(({ validAuprc }) => validAuprc ?? 0));
    assert.equal(seen[keptEpoch - 1]?.validAuprc, best);
    assert.ok(Math.abs((valid?.auprc ?? 0) - best) < 1e-4, `${valid?.auprc} is not ${best}`);
  });

  it('teaches benefit which rows only the small guard gets right, which the others cannot know', async (test) => {
    const bench = await Bench.open(test, learnableTable(1500));
    const weightOfHarm = async (recipe: 'official' | 'benefit') => {
      await bench.train(recipe, { recipe, epochs: 40 });
      const table = await openFeatures(bench.features);
      const hardness = await hardnessOf(table, await openRouter(bench.output(recipe)));
      const right = (guard: LabelledTable['small'], row: number) =>
        (guard.safe[row] as number) < 0 === (table.label[row] === 1);
      const harmful = [...table.ids.keys()].filter((row) => right(table.small, row) && !right(table.large, row));
      const neutral = [...table.ids.keys()].filter((row) => right(table.small, row) && right(table.large, row));
      const mean = (rows: number[]) => rows.reduce((sum, row) => sum + (hardness[row] as number), 0) / rows.length;
      return mean(neutral) - mean(harmful);
    };
    assert.ok((await weightOfHarm('benefit')) > 0.2);
    assert.ok((await weightOfHarm('official')) < 0.1);
  });

  it('repeats bit for bit under one seed with any number of threads, and not under another', async (test) => {
    const bench = await Bench.open(test, learnableTable(300));
    for (const recipe of ['official', 'dynaguard'] as const) {
      const weights = async (name: string, options: Partial<TrainOptions>) => {
        await bench.train(name, { recipe, epochs: 4, validShare: 0.3, ...options });
        return bench.weights(name);
      };
      const first = await weights('first', { seed: 8, threads: 1 });
      assert.deepEqual(await weights('again', { seed: 8, threads: 3 }), first);
      assert.notDeepEqual(await weights('other', { seed: 9 }), first);
    }
  });

  it('keeps its matrices in half precision where that is asked for, and hardly differs', async (test) => {
    const bench = await Bench.open(test);
    for (const recipe of ['official', 'dynaguard'] as const) {
      await bench.train('whole', { recipe });
      await bench.train('half', { recipe, dtype: 'f16' });
      const { tensors } = await readSafetensors(bench.output('half'));
      for (const { name, dtype, shape } of tensors.values()) assert.equal(dtype === 'F16', shape.length === 2, name);
      const table = await openFeatures(bench.features);
      const [whole, half] = await Promise.all(
        ['whole', 'half'].map(async (name) => hardnessOf(table, await openRouter(bench.output(name)))),
      );
      const differences = whole?.map((hardness, row) => Math.abs(hardness - (half?.[row] ?? Number.NaN))) ?? [];
      const largest = Math.max(...differences);
      assert.ok(largest > 0 && largest < 1e-3, `${recipe}: ${largest}`);
    }
  });

  it('stops with its epoch when it is aborted, and goes on from there', async (test) => {
    const bench = await Bench.open(test, learnableTable(300));
    for (const recipe of ['official', 'dynaguard'] as const) {
      const options = { recipe, validShare: 0.2, epochs: kManyEpochs };
      const [whole, parts] = [`${recipe}-whole`, `${recipe}-parts`];
      await bench.train(whole, options);
      const stop = new AbortController();
      const reason = new Error('enough');
      const aborted = bench.train(parts, { ...options, signal: stop.signal, onProgress: () => stop.abort(reason) });
      await assert.rejects(aborted, (error: Error) => error.name === 'AbortError' && error.cause === reason);
      assert.ok(existsSync(`${bench.output(parts)}.state`));
      assert.ok(!existsSync(bench.output(parts)));

      const seen: TrainProgress[] = [];
      const { resumed } = await bench.train(parts, { ...options, onProgress: (progress) => seen.push(progress) });
      assert.equal(resumed, true);
      assert.ok((seen[0]?.epoch ?? 0) > 1, `went on with epoch ${seen[0]?.epoch}`);
      assert.deepEqual([seen[0]?.resumed, seen[1]?.resumed], [true, false]);
      assert.deepEqual(await bench.weights(parts), await bench.weights(whole));
    }
  });

  it('does not begin when it is aborted already', async (test) => {
    const bench = await Bench.open(test);
    await assert.rejects(bench.train('none', { signal: AbortSignal.abort() }), coded('ERR_ABORTED'));
  });

  it('ends with what a progress callback throws', async (test) => {
    const bench = await Bench.open(test);
    const broken = new Error('broken pipe');
    const onProgress = () => {
      throw broken;
    };
    await assert.rejects(bench.train('none', { onProgress }), broken);
  });

  it('runs several at once', async (test) => {
    const bench = await Bench.open(test);
    await bench.train('alone', { epochs: 4 });
    await Promise.all(['a', 'b', 'c'].map((name) => bench.train(name, { epochs: 4 })));
    for (const name of ['a', 'b', 'c']) assert.deepEqual(await bench.weights(name), await bench.weights('alone'));
  });

  it('judges nothing where it keeps no rows back', async (test) => {
    const bench = await Bench.open(test);
    const { valid, trainRows } = await bench.train('all', { epochs: 2, validShare: 0 });
    assert.deepEqual([valid, trainRows], [null, 700]);
  });
});

describe('train refuses', () => {
  /** As many hard rows as are named, of all. */
  const withHard = (rows: number, hard: number): LabelledTable => {
    const table = learnableTable(rows);
    const { safe } = table.small;
    for (let row = 0; row < rows; row++) safe[row] = (table.label[row] === 1) === row >= hard ? -2 : 2;
    for (let row = 0; row < rows; row++) table.large.safe[row] = table.label[row] === 1 ? -2 : 2;
    return table;
  };

  it('rows that teach nothing', async (test) => {
    const refused = async (table: LabelledTable, options: Partial<TrainOptions>, message: RegExp) => {
      const bench = await Bench.open(test, table);
      await assert.rejects(bench.train('none', options), coded('ERR_DATA', bench.features, message));
      assert.ok(!existsSync(bench.output('none')));
    };
    await refused(withHard(60, 0), {}, /none of its 60 rows is hard/);
    await refused(withHard(60, 60), {}, /all of its 60 rows are hard/);
    await refused(withHard(60, 2), { validShare: 0.5 }, /1 of 30 rows to learn from are hard; it takes 2/);
    await refused(withHard(60, 30), { recipe: 'dynaguard', validShare: 0 }, /0 of 0 are hard; it takes hard and other/);
    await refused(labelledTable(1), {}, /all of its 1 rows are hard/);
  });

  it('features that are not finite, naming the row', async (test) => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const table = learnableTable(100);
      (table.features as Float32Array)[41 * 12 + 5] = bad;
      const bench = await Bench.open(test, table);
      await assert.rejects(bench.train('none'), coded('ERR_NOT_FINITE', /features\.safetensors: row 41 /));
    }
  });

  it('the state of another training, and a damaged one', async (test) => {
    const bench = await Bench.open(test);
    const stop = new AbortController();
    const options = { epochs: kManyEpochs };
    const begun = bench.train('begun', { ...options, signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(begun, coded('ERR_ABORTED'));
    await assert.rejects(
      bench.train('begun', { ...options, seed: 1 }),
      coded('ERR_OUT_OF_RANGE', 'begun.safetensors.state', /another/),
    );
    const state = readFileSync(`${bench.output('begun')}.state`);
    writeFileSync(`${bench.output('begun')}.state`, state.subarray(0, state.length / 2));
    await assert.rejects(
      bench.train('begun', options),
      coded('ERR_CHECKPOINT', 'begun.safetensors.state', /remove it/),
    );
  });

  it('a place that cannot be written, before it begins', async (test) => {
    const bench = await Bench.open(test);
    const output = join(bench.folder, 'nowhere', 'router.safetensors');
    await assert.rejects(bench.train('none', { output }), { code: 'ENOENT' });
  });

  it('wrong arguments', async () => {
    const refused = (options: object, code: string, ...named: string[]) =>
      assert.rejects(
        trainWith('f', { output: 'r.safetensors', ...options } as TrainOptions, () => new FakeAddon()),
        coded(code, ...named),
      );
    await refused({ output: 'router.pt' }, 'ERR_OUT_OF_RANGE', 'options.output', 'router.pt');
    await refused({ output: 5 }, 'ERR_INVALID_ARG_TYPE', 'options.output');
    await refused({ recipe: 'offical' }, 'ERR_OUT_OF_RANGE', "'official', 'dynaguard', 'benefit'", 'offical');
    await refused({ seed: -1 }, 'ERR_OUT_OF_RANGE', 'options.seed', '-1');
    await refused({ epochs: 0 }, 'ERR_OUT_OF_RANGE', 'options.epochs', '0');
    await refused({ validShare: 1 }, 'ERR_OUT_OF_RANGE', 'options.validShare', '0 to 0.9');
    await refused({ validShare: '0.1' }, 'ERR_INVALID_ARG_TYPE', 'options.validShare');
    await refused({ threads: 2.5 }, 'ERR_OUT_OF_RANGE', 'options.threads', '2.5');
    await refused({ onProgress: true }, 'ERR_INVALID_ARG_TYPE', 'options.onProgress');
    await refused({ signal: {} }, 'ERR_INVALID_ARG_TYPE', 'options.signal');
    await refused({ epoch: 3 }, 'ERR_INVALID_ARG_TYPE', "did you mean 'epochs'");
    await assert.rejects(train('f', undefined as unknown as TrainOptions), coded('ERR_INVALID_ARG_TYPE', 'options'));
    await assert.rejects(
      train(7 as unknown as string, { output: 'r.safetensors' }),
      coded('ERR_INVALID_ARG_TYPE', 'features'),
    );
  });
});
