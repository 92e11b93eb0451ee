// GGUF files and the block formats in them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { float16Bits, quantizeQ4, quantizeQ8 } from '../../bench/weights/ggml-blocks.js';
import { ggufTensorBytes, writeGguf } from '../../bench/weights/gguf.js';
import { normalValues, toBf16 } from '../../bench/weights/random-values.js';
import { readGguf } from './gguf-reader.js';

test('a written file reads back: metadata, table, aligned tensors', () => {
  const directory = mkdtempSync(join(tmpdir(), 'saferoute-gguf-'));
  try {
    const path = join(directory, 'a.gguf');
    const vector = new Uint8Array(new Float32Array([1, 2, 3]).buffer);
    const matrix = Uint8Array.from({ length: 34 }, (_, index) => index);
    writeGguf(
      path,
      {
        architecture: { type: 'string', value: 'llama' },
        layers: { type: 'u32', value: 16 },
        eps: { type: 'f32', value: 0.5 },
        tokens: { type: 'strings', value: ['a', 'ä'] },
        scores: { type: 'f32s', value: Float32Array.of(-1, 2) },
        types: { type: 'i32s', value: Int32Array.of(-3, 6) },
      },
      [
        { name: 'norm', format: 'F32', shape: [3], block: vector },
        { name: 'matrix', format: 'Q8_0', shape: [64, 3], block: matrix },
      ],
    );
    const { metadata, tensors, dataStart, bytes } = readGguf(path);
    assert.deepEqual(metadata, {
      architecture: 'llama',
      layers: 16,
      eps: 0.5,
      tokens: ['a', 'ä'],
      scores: [-1, 2],
      types: [-3, 6],
    });
    assert.deepEqual(tensors, [
      { name: 'norm', shape: [3], format: 0, offset: 0 },
      { name: 'matrix', shape: [64, 3], format: 8, offset: 32 },
    ]);
    assert.deepEqual(new Uint8Array(bytes.subarray(dataStart, dataStart + 12)), vector);
    const blocks = bytes.subarray(dataStart + 32, dataStart + 32 + 6 * 34);
    assert.deepEqual(new Uint8Array(blocks.subarray(5 * 34)), matrix);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('rows must be whole blocks', () => {
  assert.throws(() => ggufTensorBytes({ format: 'Q4_0', shape: [33, 2] }), /33/);
  assert.throws(() => quantizeQ8(new Float32Array(31)), /31/);
});

test('quantized values stay within half a step of what they stand for', () => {
  const values = normalValues(320, 0.02, 4);
  const q8 = quantizeQ8(values);
  const q4 = quantizeQ4(values);
  for (let block = 0; block < 10; block++) {
    const bytes8 = new DataView(q8.buffer, block * 34, 34);
    const bytes4 = new DataView(q4.buffer, block * 18, 18);
    const [scale8, scale4] = [float16(bytes8.getUint16(0, true)), float16(bytes4.getUint16(0, true))];
    for (let index = 0; index < 32; index++) {
      const value = values[block * 32 + index] as number;
      assert.ok(
        Math.abs(scale8 * bytes8.getInt8(2 + index) - value) <= 0.51 * Math.abs(scale8) + 128 * 2 ** -11 * scale8,
      );
      const pair = bytes4.getUint8(2 + (index % 16));
      const half = index < 16 ? pair & 15 : pair >> 4;
      // The largest value of the other sign has no code of its own: it may be a whole step off.
      assert.ok(Math.abs(scale4 * (half - 8) - value) <= 1.01 * Math.abs(scale4), `${value}: ${scale4} × ${half - 8}`);
    }
  }
});

test('floats become float16 and bf16 by rounding to the nearest', () => {
  assert.deepEqual([1, -2, 65_504, 0.5, 0].map(float16Bits), [0x3c00, 0xc000, 0x7bff, 0x3800, 0]);
  assert.equal(float16Bits(1 + 2 ** -10 + 2 ** -11), 0x3c02);
  assert.throws(() => float16Bits(1e6), /1000000/);
  const bf16 = new Uint16Array(toBf16(Float32Array.of(1, -1, 1 + 2 ** -8, 1 + 3 * 2 ** -8)).buffer);
  assert.deepEqual([...bf16], [0x3f80, 0xbf80, 0x3f80, 0x3f82]); // ties go to the even one
});

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  return sign * 2 ** (((bits >> 10) & 31) - 15) * (1 + (bits & 0x3ff) / 1024);
}
