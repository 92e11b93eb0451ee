import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readSafetensors } from '../../../lib/checkpoint/safetensors.js';
import { assertRefused } from './refused.js';
import { encodeSafetensors, zeroSafetensors } from './safetensors-writer.js';
import { kFixtures, scratchFile, scratchFolder, writeFile } from './scratch.js';

describe('readSafetensors', () => {
  it('finds the bytes of tensors that another library wrote', async () => {
    const path = join(kFixtures, 'checkpoints/llama-untied-f32.golden.safetensors');
    const { tensors } = await readSafetensors(path);
    const lengths = tensors.get('lengths');
    assert.ok(lengths);
    assert.deepEqual([lengths.dtype, lengths.shape, lengths.bytes], ['I32', [23], 92]);
    const bytes = readFileSync(path).subarray(lengths.offset, lengths.offset + lengths.bytes);
    assert.deepEqual([bytes.readInt32LE(0), bytes.readInt32LE(4), bytes.readInt32LE(88)], [1, 2, 300]);
  });

  it('takes scalars, empty tensors, metadata, a padded header and tensors in any order', async (test) => {
    const header = JSON.stringify({
      __metadata__: { format: 'pt' },
      second: { dtype: 'I64', shape: [2], data_offsets: [4, 20] },
      empty: { dtype: 'F32', shape: [0, 3], data_offsets: [4, 4] },
      scalar: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
    });
    const path = scratchFile(test, 'a.safetensors', encodeSafetensors(`${header}     `, 20));
    const { tensors, metadata } = await readSafetensors(path);
    assert.deepEqual([...metadata], [['format', 'pt']]);
    assert.deepEqual([...tensors.keys()], ['second', 'empty', 'scalar']);
    const start = 8 + header.length + 5;
    assert.deepEqual(
      [...tensors.values()].map(({ offset, bytes }) => [offset - start, bytes]),
      [
        [4, 16],
        [4, 0],
        [0, 4],
      ],
    );
  });

  it('takes a name that JavaScript objects treat as their own', async (test) => {
    const header = '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}';
    const { tensors } = await readSafetensors(scratchFile(test, 'a.safetensors', encodeSafetensors(header, 1)));
    assert.deepEqual(tensors.get('__proto__')?.shape, [1]);
  });

  it('reads the header of a file of 6 GiB without reading the file', async (test) => {
    const rows = 3 * 2 ** 20;
    const { length: headerBytes } = encodeSafetensors(bigHeader(rows), 0);
    const path = scratchFile(test, 'big.safetensors', encodeSafetensors(bigHeader(rows), 0));
    truncateSync(path, headerBytes + rows * 2048 + 4); // sparse: no block of the data is on the disk
    const before = process.memoryUsage().rss;
    const { tensors } = await readSafetensors(path);
    assert.equal(tensors.get('last')?.offset, headerBytes + rows * 2048);
    assert.ok(process.memoryUsage().rss - before < 256 * 2 ** 20);
  });

  const entry = (dtype: string, shape: unknown, offsets: unknown) => ({ a: { dtype, shape, data_offsets: offsets } });
  const lies: [string, string | object, number, RegExp][] = [
    ['is no JSON', '{"a":', 0, /is not valid JSON/],
    ['is not an object', '[]', 0, /does not begin with '\{'/],
    ['has a number that JSON does not know', '{"a":NaN}', 0, /is not valid JSON/],
    ['has metadata that are no object', { __metadata__: [1] }, 0, /__metadata__ is \[1\], not a JSON object/],
    ['has metadata that are no text', { __metadata__: { a: 1 } }, 0, /__metadata__: 'a' is 1, not a string/],
    ['has a tensor that is no object', { a: 1 }, 0, /tensor 'a': its entry is not a JSON object/],
    ['has a key of its own', { a: { dtype: 'F32', shape: [], data_offsets: [0, 4], x: 1 } }, 4, /'a': unknown key 'x'/],
    ['lacks a dtype', { a: { shape: [], data_offsets: [0, 4] } }, 4, /'a': dtype is missing/],
    ['has an unknown dtype', entry('F31', [1], [0, 4]), 4, /'a': unknown dtype 'F31'/],
    ['lacks a shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /'a': shape nothing is not/],
    ['has a negative size', entry('F32', [-1], [0, 4]), 4, /'a': shape \[-1\] is not/],
    ['has a fractional size', entry('F32', [0.5], [0, 2]), 2, /'a': shape \[0\.5\] is not/],
    ['has a size beyond the safe integers', entry('F32', [2 ** 53], [0, 4]), 4, /shape \[9007199254740992\]/],
    ['has a shape that overflows', entry('F32', [2 ** 32, 2 ** 32], [0, 4]), 4, /more elements than can be counted/],
    ['has too many dimensions', entry('F32', Array(33).fill(1), [0, 4]), 4, /33 dimensions; the limit is 32/],
    ['has one offset', entry('F32', [1], [0]), 4, /data_offsets \[0\] are not two whole numbers/],
    ['has negative offsets', entry('F32', [1], [-4, 0]), 4, /data_offsets \[-4,0\]/],
    ['has fractional offsets', entry('F32', [1], [0.5, 4.5]), 5, /data_offsets \[0.5,4.5\]/],
    ['has offsets beyond the safe integers', entry('F32', [1], [0, 2 ** 60]), 4, /not two whole numbers/],
    ['has offsets in the wrong order', entry('F32', [1], [4, 0]), 4, /begin at 4, after their end at 0/],
    ['reaches past the file', entry('F32', [2], [0, 8]), 4, /end at 8, but the file holds 4 bytes of data/],
    ['spans too few bytes', entry('F32', [2], [0, 4]), 4, /span 4 bytes, but F32 of shape \[2\] takes 8/],
    ['spans part of an element', entry('F4', [3], [0, 1]), 1, /span 1 bytes, but F4 of shape \[3\] takes 1.5/],
    ['leaves bytes at the end', entry('F32', [1], [0, 4]), 9, /5 bytes after tensor 'a' belong to no tensor/],
    ['leaves bytes without a tensor', {}, 3, /3 bytes after the header belong to no tensor/],
    ['begins with a hole', entry('F32', [1], [4, 8]), 8, /a hole of 4 bytes lies between the header and tensor 'a'/],
    [
      'has a hole',
      { ...entry('F32', [1], [0, 4]), b: { dtype: 'F32', shape: [1], data_offsets: [6, 10] } },
      10,
      /a hole of 2 bytes lies between tensor 'a' and tensor 'b'/,
    ],
    [
      'overlaps',
      { ...entry('F32', [2], [0, 8]), b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } },
      8,
      /tensor 'b' begins at 4, inside tensor 'a', which ends at 8/,
    ],
    [
      'has the same key twice',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /the key 'a' stands twice/,
    ],
    [
      'has a field twice',
      '{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}',
      4,
      /'dtype' stands twice/,
    ],
  ];
  for (const [what, header, dataBytes, message] of lies) {
    it(`refuses a header that ${what}`, async (test) => {
      const path = scratchFile(test, 'lie.safetensors', encodeSafetensors(header, dataBytes));
      await assertRefused(readSafetensors(path), 'ERR_CHECKPOINT', /lie\.safetensors: /, message);
    });
  }

  it('refuses a header that is not UTF-8', async (test) => {
    const bytes = encodeSafetensors('{"?":1}', 0);
    bytes[10] = 0xff;
    await assertRefused(readSafetensors(scratchFile(test, 'a.safetensors', bytes)), 'ERR_CHECKPOINT', /not UTF-8/);
  });

  const lengths: [string, Buffer, RegExp][] = [
    ['is empty', Buffer.alloc(0), /0 bytes long, too short/],
    ['ends inside the header length', Buffer.alloc(7), /7 bytes long, too short/],
    ['has a header of no bytes', Buffer.alloc(8), /does not begin with '\{'/],
    ['claims a header longer than itself', encodeSafetensors('{}', 0, 3n), /header of 3 bytes, but only 2 follow/],
    [
      'claims an absurd header',
      encodeSafetensors('{}', 0, 2n ** 64n - 1n),
      /18446744073709551615 bytes, the limit is 8388608/,
    ],
    ['claims a header over the limit', encodeSafetensors('{}', 0, 8388609n), /8388609 bytes, the limit is 8388608/],
    ['was cut', zeroSafetensors({ a: [4] }).subarray(0, -1), /'a': data_offsets end at 16, but the file holds 15/],
    [
      'is something else',
      Buffer.from('PK\x03\x04 and so on, this is a zip file'),
      /is no safetensors file, or a damaged one/,
    ],
  ];
  for (const [what, bytes, message] of lengths) {
    it(`refuses a file that ${what}`, async (test) => {
      const path = scratchFile(test, 'lie.safetensors', bytes);
      await assertRefused(readSafetensors(path), 'ERR_CHECKPOINT', /lie\.safetensors: /, message);
    });
  }

  it('refuses what is not a regular file, without waiting on it', async (test) => {
    const folder = scratchFolder(test);
    await assertRefused(readSafetensors(join(folder, 'none')), 'ERR_CHECKPOINT', /none: no such file/);
    await assertRefused(readSafetensors(folder), 'ERR_CHECKPOINT', /is a directory, not a file/);
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    await assertRefused(readSafetensors(fifo), 'ERR_CHECKPOINT', /is not a regular file/);
  });

  it('escapes and cuts names from inside a file in its messages', async (test) => {
    const name = `\u001b[31m\n${'x'.repeat(500)}`;
    const path = join(scratchFolder(test), 'a.safetensors');
    writeFile(path, encodeSafetensors({ [name]: 1 }, 0));
    await assertRefused(readSafetensors(path), 'ERR_CHECKPOINT', /tensor '\\u001b\[31m\\nx{114}…': /);
  });
});

function bigHeader(rows: number): object {
  return {
    first: { dtype: 'BF16', shape: [rows, 1024], data_offsets: [0, rows * 2048] },
    last: { dtype: 'F32', shape: [1], data_offsets: [rows * 2048, rows * 2048 + 4] },
  };
}
