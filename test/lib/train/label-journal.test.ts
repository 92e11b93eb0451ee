import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type JournalKey, LabelJournal, type RowReading } from '../../../lib/train/label-journal.js';
import { assertRefused } from '../checkpoint/refused.js';
import { scratchFile, scratchFolder } from '../checkpoint/scratch.js';

const kKey: JournalKey = { data: 'd'.repeat(64), small: 's'.repeat(64), large: 'l'.repeat(64), rows: 5, width: 3 };
const kHeaderBytes = 512;
const kRecordBytes = 4 * (3 + 4 + 3) + 8;

/** Values that F32 holds exactly. */
function readingOf(row: number): RowReading {
  return {
    tokens: { small: 10 + row, large: 20 + row },
    small: { safe: row, unsafe: -row },
    large: { safe: row + 0.5, unsafe: row - 0.5 },
    feature: Float32Array.of(row, row / 2, -row),
  };
}

async function written(test: TestContext, rows: number[]): Promise<string> {
  const path = join(scratchFolder(test), 'f.journal');
  const journal = await LabelJournal.open(path, kKey);
  await Promise.all(rows.map((row) => journal.add(row, readingOf(row))));
  await journal.close();
  return path;
}

/** Opens the journal, reads it and closes it. */
async function contentOf(path: string): Promise<Map<number, RowReading>> {
  const journal = await LabelJournal.open(path, kKey);
  const found = new Map<number, RowReading>();
  for await (const { row, reading } of journal.readings()) found.set(row, reading);
  assert.equal(journal.records, found.size);
  await journal.close();
  return found;
}

const expected = (rows: number[]) => new Map(rows.sort().map((row) => [row, readingOf(row)]));

describe('the journal of labelling', () => {
  it('gives back its readings in the order of the rows, whatever the order they came in', async (test) => {
    const path = await written(test, [3, 0, 4, 1]);
    assert.deepEqual([...(await contentOf(path))], [...expected([0, 1, 3, 4])]);
    assert.equal(readFileSync(path).length, kHeaderBytes + 4 * kRecordBytes);
  });

  it('is taken up at every length it may have been cut at, and can be gone on with', async (test) => {
    const order = [2, 0, 4];
    const path = await written(test, order);
    const whole = readFileSync(path);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const kept = order.slice(0, Math.max(0, Math.floor((length - kHeaderBytes) / kRecordBytes)));
      assert.deepEqual(await contentOf(path), expected(kept), `cut at ${length}`);
      const journal = await LabelJournal.open(path, kKey);
      await journal.add(1, readingOf(1));
      await journal.close();
      assert.deepEqual(await contentOf(path), expected([...kept, 1]), `gone on with after ${length}`);
    }
  });

  it('is cut at the first record with any bit changed', async (test) => {
    const order = [2, 0, 4];
    const path = await written(test, order);
    const whole = readFileSync(path);
    for (let at = kHeaderBytes; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      writeFileSync(path, damaged);
      const kept = order.slice(0, Math.floor((at - kHeaderBytes) / kRecordBytes));
      assert.deepEqual(await contentOf(path), expected(kept), `changed at ${at}`);
    }
  });

  it('is cut where a row stands twice', async (test) => {
    const path = await written(test, [2, 0]);
    const whole = readFileSync(path);
    writeFileSync(path, Buffer.concat([whole, whole.subarray(kHeaderBytes)]));
    assert.deepEqual(await contentOf(path), expected([0, 2]));
  });

  it('is refused where it belongs to something else, with what to do', async (test) => {
    const path = await written(test, [1]);
    const others: [Partial<JournalKey>, RegExp][] = [
      [{ data: 'e'.repeat(64) }, /was begun with other data; finish it with what it was begun with, or remove it/],
      [{ small: 'e'.repeat(64) }, /begun with another small guard, or other settings of it/],
      [{ large: 'e'.repeat(64) }, /begun with another large guard/],
      [{ width: 4 }, /begun with another small guard/],
    ];
    for (const [other, message] of others)
      await assertRefused(LabelJournal.open(path, { ...kKey, ...other }), 'ERR_DATA', message, /f\.journal: /);
    assert.deepEqual(await contentOf(path), expected([1]));
  });

  it('is not made of a file that is something else', async (test) => {
    for (const [content, message] of [
      ['{"prompt":"x"}\n', /is no journal of labelling; move it away/],
      ['{"format":"saferoute-journal/1"'.padEnd(600), /damaged header; remove it/],
    ] as const) {
      const path = scratchFile(test, 'f.journal', content);
      await assertRefused(LabelJournal.open(path, kKey), 'ERR_DATA', message);
      assert.equal(readFileSync(path, 'utf8'), content);
    }
  });

  it('says so where a record changes after it was written', async (test) => {
    const path = await written(test, [1, 2]);
    const journal = await LabelJournal.open(path, kKey);
    truncateSync(path, kHeaderBytes + kRecordBytes + 5);
    const all = async () => {
      for await (const _ of journal.readings());
    };
    await assertRefused(all(), 'ERR_DATA', /the record of row 2 has changed since it was written/);
    await journal.remove();
    assert.equal(existsSync(path), false);
  });
});
