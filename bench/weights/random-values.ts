// Seeded random weights. Speed does not depend on their values, so a few million of them are made and written over and over.

/** Deviation of the weights: what trained linear layers of this size have, so that activations stay finite through all layers. */
export const kWeightDeviation = 0.02;

/** A generator of whole numbers from 0 to 2^32 - 1: the xorshift of Marsaglia (2003) with 32 bits of state. */
export function randomIntegers(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** A whole number from 0 to `limit` - 1. */
export function randomBelow(next: () => number, limit: number): number {
  return Math.floor((next() / 2 ** 32) * limit);
}

/** `count` values of a normal distribution around 0, by Box and Muller's method. */
export function normalValues(count: number, deviation: number, seed: number): Float32Array {
  const next = randomIntegers(seed);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log((next() + 1) / 2 ** 32));
    const angle = (2 * Math.PI * next()) / 2 ** 32;
    values[index] = radius * Math.cos(angle);
    if (index + 1 < count) values[index + 1] = radius * Math.sin(angle);
  }
  return values;
}

/** The upper half of each float32, rounded to the nearest. `(count × 2 bytes)` */
export function toBf16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return new Uint8Array(Uint16Array.from(bits, (word) => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16).buffer);
}
