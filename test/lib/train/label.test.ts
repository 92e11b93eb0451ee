import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openFeatures } from '../../../lib/train/features-reader.js';
import { labelWith } from '../../../lib/train/label.js';
import type { LabelProgress, LabelRequest, LabelSummary } from '../../../lib/train/label-options.js';
import { scratchFolder, writeFile } from '../checkpoint/scratch.js';
import { FakeAddon, type FakeBehaviour } from '../fake-addon.js';
import { kDynaGuard, kLlamaGuard, kQwenGuard } from '../fixture-pairs.js';
import { coded } from '../rejected.js';

/** The small guard finds a long prompt unsafe; the fake's large guard is sure of the opposite. */
const kLongIsUnsafe: FakeBehaviour = { score: (ids) => (ids.length > 200 ? 0.9 : 0.1) };
const kLong = 'This one is long. '.repeat(6);
const kHeaderBytes = 512;

interface Workplace {
  data: string;
  output: string;
  label: (changes?: Partial<LabelRequest>, behaviour?: FakeBehaviour) => Promise<LabelSummary>;
}

/** Where `rows` lie as a file, and where their features go. */
function workplace(test: TestContext, rows: (object | string)[]): Workplace {
  const folder = scratchFolder(test);
  const [data, output] = [join(folder, 'rows.jsonl'), join(folder, 'f.safetensors')];
  writeFile(data, rows.map((row) => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join(''));
  const request = { small: kLlamaGuard, large: kQwenGuard, data, output };
  return {
    data,
    output,
    label: (changes, behaviour = kLongIsUnsafe) =>
      labelWith({ ...request, ...changes }, () => new FakeAddon(behaviour)),
  };
}

/** Row r has `r` extra words, so that no two prompts are of one length. */
function rowsOf(count: number): object[] {
  return Array.from({ length: count }, (_, row) => ({ id: `r${row}`, prompt: 'a '.repeat(row + 1), label: row % 2 }));
}

const kRows = [
  { id: 'both', prompt: kLong, label: 0, source: 'A', group: 'g' },
  { id: 'small only', prompt: 'short', label: 0, source: 'B' },
  { id: 'hard', prompt: 'short', label: 1, source: 'B', group: 'g' },
  { id: 'small right', prompt: kLong, label: 1, source: 'C' },
];

describe('label', () => {
  it('keeps readings, features, labels and what is hard', async (test) => {
    const { output, label } = workplace(test, kRows);
    const summary = await label();
    assert.deepEqual(summary, {
      path: output,
      rows: 4,
      hard: 2,
      unsafe: 2,
      resumed: 0,
      failed: [],
      failedPath: null,
      warnings: [],
    });
    const table = await openFeatures(output);
    assert.deepEqual(table.ids, ['both', 'small only', 'hard', 'small right']);
    assert.deepEqual(
      [table.sources, [...table.source]],
      [
        ['A', 'B', 'C'],
        [0, 1, 1, 2],
      ],
    );
    assert.deepEqual([...table.group], [0, 1, 0, 2]);
    assert.deepEqual([...table.label], [0, 0, 1, 1]);
    assert.deepEqual(
      [...table.small.unsafe],
      [0.9, 0.1, 0.1, 0.9].map((p) => Math.fround(Math.log(p / (1 - p)))),
    );
    assert.deepEqual([...table.large.unsafe].map(Math.sign), [-1, 1, 1, -1]);
    assert.deepEqual([table.small.dir, table.large.dir, table.small.precision], [kLlamaGuard, kQwenGuard, 'int8']);
    assert.ok([...table.tokens.small, ...table.tokens.large].every((tokens) => tokens > 0));
    assert.notDeepEqual(table.tokens.small, table.tokens.large); // each guard has its own template
    assert.ok(table.contentFree !== null && table.contentFree.unsafe < 0);
    const { offset, rows, width } = table.features;
    const bytes = readFileSync(output).subarray(offset, offset + 4 * rows * width);
    const features = new Float32Array(Uint8Array.from(bytes).buffer);
    const expected = [0.9, 0.1, 0.1, 0.9].flatMap((score) => Array(width).fill(Math.fround(score)));
    assert.deepEqual([...features], expected);
    assert.equal(existsSync(`${output}.journal`), false);
  });

  it('gives the same file whatever the order in which rows are done', async (test) => {
    const rows = rowsOf(40);
    const [one, other] = [workplace(test, rows), workplace(test, rows)];
    await one.label();
    // One row in flight at a time against as many as there are.
    await other.label({ data: one.data, options: { limits: { queueRequests: 1 } } });
    assert.ok(readFileSync(one.output).equals(readFileSync(other.output)));
  });

  it('asks both guards of every row as bulk, whatever rule the pair has', async (test) => {
    const { data, output } = workplace(test, rowsOf(2));
    const addon = new FakeAddon(kLongIsUnsafe);
    await labelWith({ small: kLlamaGuard, large: kQwenGuard, data, output }, () => addon);
    const { config, heads } = addon.engine;
    assert.deepEqual([config.escalation.kind, config.small.router], ['always', null]);
    const asked = heads.filter(({ target }) => target === 'cascade');
    assert.equal(asked.length, 2);
    assert.ok(asked.every(({ bulk, feature, deadlineMs }) => bulk && feature && deadlineMs === null));
  });

  it('lists rows that no guard can read, and labels the others', async (test) => {
    const { data, output, label } = workplace(test, [
      kRows[0] as object,
      { id: 'too large', prompt: 'x'.repeat(2 ** 20 + 1), label: 1, source: 'only here' },
      { id: 'overlong', prompt: 'word '.repeat(600), label: 1 },
      { id: 'empty', prompt: '', label: 1 },
      `{"prompt":"${'secret '.repeat(2 ** 20 + 2 ** 18)}","label":1}`,
      kRows[3] as object,
    ]);
    const { rows, failed, failedPath } = await label();
    assert.deepEqual([rows, failedPath], [2, `${output}.failed.jsonl`]);
    const listed = readFileSync(`${output}.failed.jsonl`, 'utf8');
    assert.deepEqual(
      listed
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      failed,
    );
    assert.deepEqual(
      failed.map(({ id, line, code }) => [id, line, code]),
      [
        ['too large', `${data}:2`, 'ERR_INPUT_TOO_LARGE'],
        ['overlong', `${data}:3`, 'ERR_CONTEXT_LENGTH'],
        ['empty', `${data}:4`, 'ERR_INPUT'],
        [`${data}:5`, `${data}:5`, 'ERR_INPUT_TOO_LARGE'],
      ],
    );
    assert.doesNotMatch(listed, /secret|word|xxx/);
    const table = await openFeatures(output);
    assert.deepEqual(
      [table.ids, table.sources],
      [
        ['both', 'small right'],
        ['A', 'C'],
      ],
    );
  });

  it('takes away the list of failed rows of an earlier run', async (test) => {
    const { output, label } = workplace(test, kRows);
    writeFile(`${output}.failed.jsonl`, 'old');
    await label();
    assert.equal(existsSync(`${output}.failed.jsonl`), false);
  });

  it('is refused where no row could be read', async (test) => {
    const { output, label } = workplace(test, [{ prompt: '', label: 1 }]);
    await assert.rejects(label(), coded('ERR_DATA', 'no guard could read any of the 1 rows', '.failed.jsonl says why'));
    assert.ok(existsSync(`${output}.failed.jsonl`) && !existsSync(output));
  });

  it('warns of one class only, and of nothing to find', async (test) => {
    const { label } = workplace(test, [{ prompt: kLong, label: 1 }]);
    const { warnings } = await label();
    assert.match(warnings.join('\n'), /all 1 rows are unsafe.*\n.*no row is hard/);
  });

  it('leaves out the reading of nothing where the guard takes no such message', async (test) => {
    const { output, label } = workplace(test, [{ prompt: 'x', rules: 'be kind', label: 1 }]);
    const guard = { family: 'dynaguard', system: 'judge' } as const;
    await label({ small: { dir: kDynaGuard, guard }, large: { dir: kDynaGuard, guard } });
    assert.equal((await openFeatures(output)).contentFree, null);
  });

  it('goes on from a journal cut anywhere, to the same file', async (test) => {
    const { data, output, label } = workplace(test, rowsOf(3));
    await label();
    const whole = readFileSync(output);
    const journal = await journalOf({ data, output, label });
    const recordBytes = (journal.length - kHeaderBytes) / 3;
    const ends = [0, 1, 2, 3].map((records) => kHeaderBytes + records * recordBytes);
    const strides = Array.from({ length: Math.floor(journal.length / 37) }, (_, at) => 37 * at);
    for (const length of [...strides, ...ends.flatMap((end) => [end - 1, end, end + 1])]) {
      writeFileSync(`${output}.journal`, journal.subarray(0, length));
      const { resumed } = await label();
      assert.equal(resumed, Math.max(0, Math.floor((length - kHeaderBytes) / recordBytes)), `cut at ${length}`);
      assert.ok(readFileSync(output).equals(whole), `cut at ${length}`);
    }
  });

  it('keeps what is done when it is aborted', async (test) => {
    const { output, label } = workplace(test, rowsOf(8));
    await label();
    const whole = readFileSync(output);
    const stop = new AbortController();
    const abort = ({ stage, done }: LabelProgress) => {
      if (stage === 'labelling' && done === 3) stop.abort(new Error('enough'));
    };
    const options = { limits: { queueRequests: 1 } }; // so that no row is under way beside the third
    await assert.rejects(label({ signal: stop.signal, onProgress: abort, options }), coded('ERR_ABORTED'));
    const told: LabelProgress[] = [];
    const { resumed } = await label({ onProgress: (progress) => told.push(progress) });
    assert.equal(resumed, 3);
    assert.ok(readFileSync(output).equals(whole));
    const labelling = told.filter(({ stage }) => stage === 'labelling');
    assert.deepEqual(
      labelling.map(({ done }) => done),
      [3, 4, 5, 6, 7, 8],
    );
    assert.deepEqual([labelling.at(-1)?.rows, labelling.at(-1)?.secondsLeft], [8, 0]);
    assert.deepEqual([...new Set(told.map(({ stage }) => stage))], ['checking', 'loading', 'labelling', 'writing']);
  });

  it('ends with an error that is not about one row, and keeps what is done', async (test) => {
    const { output, label } = workplace(test, rowsOf(4));
    const failing = { ...kLongIsUnsafe, headError: { code: 'ERR_BACKEND', message: 'the device is gone' } };
    await assert.rejects(label({}, failing), coded('ERR_BACKEND', 'the device is gone'));
    assert.ok(!existsSync(output) && existsSync(`${output}.journal`));
  });

  it('refuses the journal of other data, of another guard and of other settings', async (test) => {
    const { data, output, label } = workplace(test, kRows);
    const journal = await journalOf({ data, output, label });
    const before = readFileSync(output);
    const refused = async (changes: Partial<LabelRequest>, why: string) => {
      writeFileSync(`${output}.journal`, journal);
      await assert.rejects(label(changes), coded('ERR_DATA', `${output}.journal: was begun with ${why}`));
      assert.ok(readFileSync(`${output}.journal`).equals(journal) && readFileSync(output).equals(before));
    };
    await refused({ small: kQwenGuard }, 'another small guard');
    await refused({ large: kLlamaGuard }, 'another large guard');
    await refused({ options: { precision: 'f32' } }, 'another small guard, or other settings of it');
    await refused({ options: { overlong: 'truncate' } }, 'another small guard, or other settings of it');
    appendFileSync(data, '\n');
    await refused({}, 'other data');
  });

  it('notices data that change while the rows are labelled', async (test) => {
    const { data, output, label } = workplace(test, rowsOf(4));
    const change = ({ stage }: LabelProgress) => {
      if (stage === 'loading') appendFileSync(data, '{"prompt":"late","label":1}\n');
    };
    await assert.rejects(label({ onProgress: change }), coded('ERR_DATA', 'changed while the rows were labelled'));
    assert.equal(existsSync(output), false);
  });

  it('refuses a request that makes no sense', async (test) => {
    const { label } = workplace(test, kRows);
    const wrong: [Partial<Record<keyof LabelRequest, unknown>>, string, string][] = [
      [{ data: [] }, 'ERR_OUT_OF_RANGE', 'request.data must be one path or more'],
      [{ data: undefined }, 'ERR_INVALID_ARG_TYPE', 'request.data must be a path'],
      [{ data: [3] }, 'ERR_INVALID_ARG_TYPE', 'request.data[0]'],
      [{ output: '' }, 'ERR_OUT_OF_RANGE', 'request.output'],
      [{ outptu: 'x' } as object, 'ERR_INVALID_ARG_TYPE', "did you mean 'output'"],
      [{ options: { escalation: { kind: 'never' } } }, 'ERR_INVALID_ARG_TYPE', "'escalation'"],
      [{ large: null }, 'ERR_SPEC', 'large is missing'],
      [{ signal: 1 }, 'ERR_INVALID_ARG_TYPE', 'signal'],
      [{ onProgress: 1 }, 'ERR_INVALID_ARG_TYPE', 'request.onProgress'],
    ];
    for (const [changes, code, named] of wrong) await assert.rejects(label(changes as object), coded(code, named));
  });
});

/** The journal as it is when all is done but the writing. */
async function journalOf({ output, label }: Workplace): Promise<Buffer> {
  let journal = Buffer.alloc(0);
  await label({
    onProgress: ({ stage }) => {
      if (stage === 'writing') journal = readFileSync(`${output}.journal`);
    },
  });
  return journal;
}
