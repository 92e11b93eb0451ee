import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isHard } from '../../../lib/train/feature-table.js';
import { openFeatures } from '../../../lib/train/features-reader.js';
import { type LabelledTable, writeFeatures } from '../../../lib/train/features-writer.js';
import { assertRefused } from '../checkpoint/refused.js';
import { encodeSafetensors } from '../checkpoint/safetensors-writer.js';
import { scratchFile, scratchFolder } from '../checkpoint/scratch.js';
import { labelledTable } from './labelled-tables.js';

const scratch = (test: TestContext) => join(scratchFolder(test), 'f.safetensors');

async function written(test: TestContext, table: LabelledTable): Promise<string> {
  const path = scratch(test);
  await writeFeatures(path, table);
  return path;
}

describe('a features file', () => {
  it('gives back what was written', async (test) => {
    const table = labelledTable(9, 5, { ids: ['', 'é', '漢字', ' ', '😀', 'a\nb', 'g', 'h', 'i'] });
    const path = await written(test, table);
    const { features, rows, path: at, ...columns } = await openFeatures(path);
    const { width, features: values, ...given } = table;
    assert.deepEqual(columns, given);
    assert.deepEqual([rows, features.rows, features.width, at, features.path], [9, 9, 5, path, path]);
    assert.equal(features.offset % 8, 0);
    const bytes = readFileSync(path).subarray(features.offset, features.offset + 9 * 5 * 4);
    assert.deepEqual(new Float32Array(Uint8Array.from(bytes).buffer), values);
  });

  it('takes features in pieces of any number of rows, and no content-free reading', async (test) => {
    const whole = labelledTable(7, 4, { contentFree: null });
    async function* pieces() {
      const features = whole.features as Float32Array;
      yield features.subarray(0, 4);
      yield features.subarray(4, 20);
      yield features.subarray(20);
    }
    const [one, other] = [await written(test, whole), await written(test, { ...whole, features: pieces() })];
    assert.ok(readFileSync(one).equals(readFileSync(other)));
    assert.equal((await openFeatures(one)).contentFree, null);
  });

  it('calls a row hard where only the large guard is right', () => {
    const logits = (...scores: number[]) => ({
      ...labelledTable(0).small,
      safe: new Float32Array(scores.length),
      unsafe: Float32Array.from(scores),
    });
    const table = {
      label: Int8Array.of(1, 1, 1, 1, 0, 0, 0, 0, 1, 0),
      small: logits(-1, 1, -1, 1, 1, -1, 1, -1, 0, 0),
      large: logits(1, 1, -1, -1, -1, -1, 1, 1, 1, -1),
    };
    const hard = Array.from(table.label, (_, row) => (isHard(table, row) ? 1 : 0));
    // Even odds are no verdict of unsafe: that is where the last two differ.
    assert.deepEqual(hard, [1, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
  });

  it('is not written, and what stood there stays, where the columns do not go together', async (test) => {
    const path = scratchFile(test, 'f.safetensors', 'before');
    const wrong: [Partial<LabelledTable>, RegExp][] = [
      [{ group: new Int32Array(3) }, /group has 3 values for 4 ids/],
      [{ features: new Float32Array(11) }, /4 features of 3 values take 48 bytes; 44/],
      [{ features: new Float32Array(15) }, /take 48 bytes; 60/],
      [{ sources: ['x'.repeat(9 * 2 ** 20)] }, /the limit is 8388608/],
    ];
    for (const [changes, message] of wrong) {
      await assertRefused(writeFeatures(path, labelledTable(4, 3, changes)), 'ERR_DATA', message);
      assert.equal(readFileSync(path, 'utf8'), 'before');
      assert.equal(existsSync(`${path}.part`), false);
    }
    await assertRefused(writeFeatures(path, labelledTable(0)), 'ERR_DATA', /at least one row/);
  });

  it('is refused where a value may not be, by column and row', async (test) => {
    const wrong: [Partial<LabelledTable>, RegExp[]][] = [
      [{ source: Int32Array.of(0, 1, 2, 1) }, [/'source' has 2 in row 2; it may be 0 to 1/]],
      [{ source: Int32Array.of(0, -1, 0, 1) }, [/'source' has -1 in row 1/]],
      [{ label: Int8Array.of(0, 1, 0, 2) }, [/'label' has 2 in row 3; it may be 0 to 1/]],
      [{ ids: ['a', 'b', 'c', 'b'] }, [/rows 1 and 3 have the same id 'b'/]],
    ];
    for (const [changes, messages] of wrong) {
      const path = await written(test, labelledTable(4, 3, changes));
      await assertRefused(openFeatures(path), 'ERR_CHECKPOINT', /f\.safetensors/, ...messages);
    }
  });

  it('is refused with ERR_NOT_FINITE where a logit is not finite', async (test) => {
    for (const [guard, side, value] of [
      ['small', 'unsafe', Number.NaN],
      ['large', 'safe', Number.POSITIVE_INFINITY],
    ] as const) {
      const table = labelledTable(4);
      table[guard][side][2] = value;
      const message = new RegExp(`'${guard}_logits' has ${value} in row 2 \\(${side}\\)`);
      await assertRefused(openFeatures(await written(test, table)), 'ERR_NOT_FINITE', message);
    }
  });

  it('is refused where the hard column says other than labels and logits', async (test) => {
    const path = await written(test, labelledTable(4));
    const bytes = readFileSync(path);
    bytes[bytes.length - 4 * 'r0'.length - 3] = 1; // the hard column lies before the ids
    writeFileSync(path, bytes);
    await assertRefused(openFeatures(path), 'ERR_CHECKPOINT', /'hard' has 1 in row 1 \('r1'\)/);
  });

  it('is refused at every length but its own', async (test) => {
    const path = await written(test, labelledTable(2, 1));
    const whole = readFileSync(path);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(path, whole.subarray(0, length));
      await assertRefused(openFeatures(path), 'ERR_CHECKPOINT');
    }
  });

  it('is refused without its format, of another version, or without a column', async (test) => {
    const refused = async (metadata: Record<string, string>, code: 'ERR_CHECKPOINT' | 'ERR_UNSUPPORTED', why: RegExp) =>
      assertRefused(
        openFeatures(scratchFile(test, 'f.safetensors', encodeSafetensors({ __metadata__: metadata }, 0))),
        code,
        why,
      );
    const note = JSON.stringify({ dir: '/a', fingerprint: 'b', precision: 'int8' });
    const notes = { format: 'saferoute-features/1', unsafe_at: '0.5', sources: '[""]', small: note, large: note };
    await refused({}, 'ERR_CHECKPOINT', /no features file: its metadata names the format null/);
    await refused({ format: 'pt' }, 'ERR_CHECKPOINT', /the format 'pt'/);
    await refused({ ...notes, format: 'saferoute-features/2' }, 'ERR_UNSUPPORTED', /this build reads/);
    await refused({ ...notes, unsafe_at: '0.7' }, 'ERR_UNSUPPORTED', /above '0.7'; this build takes 0.5/);
    await refused({ ...notes, sources: '[1]' }, 'ERR_CHECKPOINT', /'sources' is \[1\], not a list of names/);
    await refused({ ...notes, sources: '[' }, 'ERR_CHECKPOINT', /'sources' is not JSON/);
    await refused({ ...notes, large: '{"dir":"/a"}' }, 'ERR_CHECKPOINT', /'large' .* fingerprint and precision/);
    await refused({ ...notes, content_free: '{"safe":1}' }, 'ERR_CHECKPOINT', /'content_free' is {"safe":1}/);
    await refused(notes, 'ERR_CHECKPOINT', /has no column 'feature'/);
  });
});
