import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { kLineBytes } from '../../../lib/lines.js';
import { type PlacedLine, readLabelledRows, surveyRows } from '../../../lib/train/labelled-rows.js';
import { assertRefused } from '../checkpoint/refused.js';
import { scratchFile, scratchFolder, writeFile } from '../checkpoint/scratch.js';

const kInputBytes = 1 << 20;

const survey = (files: string[]) => surveyRows(files, kInputBytes, () => {});

function dataFile(test: TestContext, ...lines: (object | string)[]): string {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  return scratchFile(test, 'rows.jsonl', text.join('\n'));
}

async function linesOf(file: string): Promise<PlacedLine[]> {
  const lines: PlacedLine[] = [];
  for await (const line of readLabelledRows([file], kInputBytes)) lines.push(line);
  return lines;
}

describe('labelled rows', () => {
  it('are taken in every form, labels as numbers or words, other members ignored', async (test) => {
    const file = dataFile(
      test,
      { prompt: 'a', label: 0, id: 'first', source: 'S', category: [1] },
      '',
      { prompt: 'a', response: 'b', label: 'unsafe', id: 7, source: 'T', group: 'g' },
      { messages: [{ role: 'user', content: 'c' }], rules: 'r', label: 1, group: 'g', source: null, id: null },
      '  \r',
      { prompt: 'd', response: null, messages: null, label: 'safe', source: 'S' },
    );
    const found = await survey([file]);
    assert.deepEqual(found.ids, ['first', '7', `${file}:4`, `${file}:6`]);
    assert.deepEqual([...found.unsafe], [0, 1, 1, 0]);
    assert.deepEqual(found.sources, ['S', 'T', '']);
    assert.deepEqual([...found.source], [0, 1, 2, 0]);
    assert.deepEqual([...found.group], [0, 1, 1, 2]);
    assert.deepEqual(found.labels, { safe: 2, unsafe: 2 });
    const inputs = (await linesOf(file)).map(({ line }) => (line.kind === 'row' ? line.input : line));
    assert.deepEqual(inputs, [
      { prompt: 'a' },
      { prompt: 'a', response: 'b' },
      { messages: [{ role: 'user', content: 'c' }], rules: 'r' },
      { prompt: 'd' },
    ]);
  });

  it('are read from several files in their order, groups and sources across all of them', async (test) => {
    const folder = scratchFolder(test);
    const [a, b] = [join(folder, 'a.jsonl'), join(folder, 'b.jsonl')];
    writeFile(a, '\ufeff{"prompt":"x","label":0,"group":1,"source":"S"}\n');
    writeFile(b, '{"prompt":"y","label":1,"group":"1","source":"S"}\r\n{"prompt":"z","label":1}');
    const found = await survey([a, b]);
    assert.deepEqual(found.ids, [`${a}:1`, `${b}:1`, `${b}:2`]);
    assert.deepEqual(
      [[...found.group], [...found.source]],
      [
        [0, 0, 1],
        [0, 0, 1],
      ],
    );
    const digests = [found.digest, (await survey([b, a])).digest, (await survey([a])).digest];
    assert.equal(new Set(digests).size, 3);
    appendFileSync(b, ' ');
    assert.notEqual((await survey([a, b])).digest, found.digest);
  });

  it('are refused as data with file, line and value', async (test) => {
    const wrong: [object | string, string][] = [
      ['{"prompt":"secret text"', 'line is not JSON'],
      ['[{"prompt":"x","label":1}]', 'line must be a JSON object, got a list'],
      ['null', 'line must be a JSON object, got null'],
      [{ prompt: 'x' }, 'label is missing'],
      [{ prompt: 'x', label: null }, 'label is missing'],
      [{ prompt: 'x', label: 2 }, "label must be 0, 1, 'safe' or 'unsafe', got 2"],
      [{ prompt: 'x', label: true }, "label must be 0, 1, 'safe' or 'unsafe', got true"],
      [{ prompt: 'x', label: 'Unsafe' }, "got 'Unsafe'"],
      [{ label: 1 }, 'row must have either prompt or messages, has neither'],
      [{ prompt: 'x', messages: [], label: 1 }, 'row must have either prompt or messages, has both'],
      [{ messages: [], response: 'x', label: 1 }, 'the response belongs into the messages'],
      [{ prompt: 5, label: 1 }, 'prompt must be a string, got 5'],
      [{ prompt: 'x', response: {}, label: 1 }, 'response must be a string, got an instance of Object'],
      [{ messages: 'x', label: 1 }, "messages must be an array of messages, got 'x'"],
      [
        { messages: [{ role: 'wizard', content: 'x' }], label: 1 },
        "role must be user, assistant, system, got 'wizard'",
      ],
      [{ prompt: 'x', label: 1, id: '' }, 'id is empty'],
      [{ prompt: 'x', label: 1, id: ['a'] }, 'id must be a string or a number, got an array of 1'],
      [{ prompt: 'x', label: 1, id: 'i'.repeat(1025) }, 'id has 1025 characters; the limit is 1024'],
      ['{"prompt":"x","label":1,"id":"\\ud800"}', 'id has a lone surrogate'],
      [{ prompt: 'x', label: 1, source: 3 }, 'source must be a string, got 3'],
      [{ prompt: 'x', label: 1, group: false }, 'group must be a string or a number, got false'],
    ];
    for (const [line, problem] of wrong) {
      const file = dataFile(test, { prompt: 'fine', label: 0 }, line);
      await assert.rejects(survey([file]), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'ERR_DATA');
        assert.ok(error.message.startsWith(`${file}:2: `) && error.message.endsWith(problem), error.message);
        return true;
      });
    }
    const bytes = Buffer.from([...Buffer.from('{"prompt":"'), 0xff, ...Buffer.from('","label":1}')]);
    await assertRefused(
      survey([scratchFile(test, 'rows.jsonl', bytes)]),
      'ERR_DATA',
      /rows.jsonl:1: line is not valid UTF-8/,
    );
  });

  it('must have ids of their own, over all files', async (test) => {
    const [a, b] = [
      dataFile(test, { prompt: 'x', label: 1, id: 'same' }),
      dataFile(test, { prompt: 'y', label: 0, id: 'same' }),
    ];
    await assertRefused(survey([a, b]), 'ERR_DATA', new RegExp(`^${b}:1: id "same" stands already at ${a}:1$`));
    await assertRefused(survey([a, a]), 'ERR_DATA', /id "same" stands already/);
  });

  it('are refused with the first ten problems and the number of the others', async (test) => {
    const file = dataFile(test, ...Array.from({ length: 13 }, () => ({ prompt: 'x' })));
    await assert.rejects(survey([file]), ({ message }: Error) => {
      const lines = message.split('\n');
      assert.equal(lines[0], '13 problems in the data:');
      assert.deepEqual(
        lines.slice(1, 11),
        Array.from({ length: 10 }, (_, at) => `${file}:${at + 1}: label is missing`),
      );
      assert.deepEqual(lines.slice(11), ['and 3 more']);
      return true;
    });
  });

  it('must be there: no file is empty, and each can be read twice', async (test) => {
    const full = dataFile(test, { prompt: 'x', label: 1 });
    const blank = scratchFile(test, 'blank.jsonl', '\n \n');
    await assertRefused(survey([full, blank]), 'ERR_DATA', /blank\.jsonl: the file has no rows/);
    await assertRefused(survey([dirname(full)]), 'ERR_DATA', /must be a regular file/);
    await assert.rejects(survey([join(dirname(full), 'none')]), { code: 'ENOENT' });
  });

  it('that only a guard could refuse do not spoil the data', async (test) => {
    const file = dataFile(
      test,
      `{"prompt":"${'x'.repeat(kLineBytes)}","label":1}`,
      { prompt: 'y'.repeat(kInputBytes + 1), label: 1, id: 'large', source: 'S' },
      { prompt: '', label: 1 },
      { prompt: 'x', label: 1, id: 'fine' },
    );
    const found = await survey([file]);
    assert.deepEqual(found.ids, [`${file}:1`, 'large', `${file}:3`, 'fine']);
    assert.deepEqual(found.labels, { safe: 0, unsafe: 1 });
    const refused = (await linesOf(file)).map(({ line }) => (line.kind === 'refused' ? line.error.code : line.kind));
    assert.deepEqual(refused, ['ERR_INPUT_TOO_LARGE', 'ERR_INPUT_TOO_LARGE', 'ERR_INPUT', 'row']);
  });
});
