/** IEEE 754 half precision, which a router's weights may be kept in. */

/** The largest number that is not rounded to infinity, half a step above the largest half. */
const kLimit = 65520;
const kSmallestNormal = 2 ** -14;
const kSubnormalSteps = 2 ** 24; // to 1
const kExponentShift = 112 << 23; // between the biases of the two formats, 127 - 15

/** Each value rounded to the nearest half, ties to even, as its bits: `(count)`. null where one is too large to be a half. */
export function toHalf(values: Float32Array): Uint16Array | null {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let place = 0; place < values.length; place++) {
    const size = Math.abs(values[place] as number);
    if (!(size < kLimit)) return null;
    const word = bits[place] as number;
    halves[place] = ((word >>> 16) & 0x8000) | (size < kSmallestNormal ? subnormal(size) : normal(word & 0x7fffffff));
  }
  return halves;
}

function normal(word: number): number {
  return (word - kExponentShift + 0xfff + ((word >>> 13) & 1)) >>> 13;
}

/** Added to 2^23, a float32 has no room for a fraction, so that the sum is rounded to a whole number, ties to even. */
function subnormal(size: number): number {
  return Math.fround(size * kSubnormalSteps + 2 ** 23) - 2 ** 23;
}
