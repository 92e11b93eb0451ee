// Weights in the block formats of ggml, whose layout llama.cpp's files have: Q8_0 and Q4_0 in blocks of 32 values with a float16 scale.

export type GgmlFormat = 'F32' | 'BF16' | 'Q8_0' | 'Q4_0';

/** Id of the format in a GGUF file, values per block, bytes per block. */
export const kGgmlFormats: Readonly<Record<GgmlFormat, { id: number; values: number; bytes: number }>> = {
  F32: { id: 0, values: 1, bytes: 4 },
  Q4_0: { id: 2, values: 32, bytes: 18 },
  Q8_0: { id: 8, values: 32, bytes: 34 },
  BF16: { id: 30, values: 1, bytes: 2 },
};

/** scale, then 32 signed bytes; value = scale × byte. */
export function quantizeQ8(values: Float32Array): Uint8Array {
  return quantizeBlocks(values, kGgmlFormats.Q8_0.bytes, (block, bytes) => {
    const scale = Math.max(...block.map(Math.abs)) / 127;
    for (const [index, value] of block.entries()) bytes.setInt8(2 + index, scale === 0 ? 0 : Math.round(value / scale));
    return scale;
  });
}

/** scale, then 16 bytes: value `i` in the low half of byte `i`, value `i` + 16 in the high half; value = scale × (half − 8). */
export function quantizeQ4(values: Float32Array): Uint8Array {
  return quantizeBlocks(values, kGgmlFormats.Q4_0.bytes, (block, bytes) => {
    const extreme = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    const scale = extreme / -8;
    const half = (value: number) => (scale === 0 ? 8 : Math.min(15, Math.round(value / scale) + 8));
    for (let index = 0; index < 16; index++) {
      bytes.setUint8(2 + index, half(block[index] as number) | (half(block[index + 16] as number) << 4));
    }
    return scale;
  });
}

function quantizeBlocks(
  values: Float32Array,
  blockBytes: number,
  quantize: (block: Float32Array, bytes: DataView) => number,
): Uint8Array {
  if (values.length % 32 !== 0) throw new RangeError(`${values.length} values are no whole number of blocks of 32`);
  const result = new Uint8Array((values.length / 32) * blockBytes);
  for (let block = 0; block * 32 < values.length; block++) {
    const bytes = new DataView(result.buffer, block * blockBytes, blockBytes);
    const scale = quantize(values.subarray(block * 32, block * 32 + 32), bytes);
    bytes.setUint16(0, float16Bits(scale), true);
  }
  return result;
}

/** Bits of the float16 nearest to `value`, towards zero below 2^-14, where it is 0. */
export function float16Bits(value: number): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent <= 0) return sign;
  if (exponent >= 31) throw new RangeError(`${value} is too large for a float16`);
  return sign | (((exponent << 10) | ((bits >>> 13) & 0x3ff)) + ((bits >>> 12) & 1));
}
