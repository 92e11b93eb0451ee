// Half precision, over every half that there is and every gap between two.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toHalf } from '../../../lib/train/half.js';

const kFinite = Array.from({ length: 0x7c00 }, (_, bits) => bits);

/** By the format's definition. */
function halfOf(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

function bitsOf(values: number[]): number[] {
  return [...(toHalf(Float32Array.from(values)) ?? assert.fail('too large'))];
}

describe('half precision', () => {
  it('keeps every half as it is, of either sign', () => {
    assert.deepEqual(bitsOf(kFinite.map(halfOf)), kFinite);
    const negative = kFinite.map((bits) => bits | 0x8000);
    assert.deepEqual(bitsOf(negative.map(halfOf)), negative);
  });

  it('rounds to the nearest, and to the even one from the middle between two', () => {
    const gaps = kFinite.slice(0, -1);
    const at = (bits: number, share: number) => halfOf(bits) + share * (halfOf(bits + 1) - halfOf(bits));
    assert.deepEqual(bitsOf(gaps.map((bits) => at(bits, 0.49))), gaps);
    assert.deepEqual(
      bitsOf(gaps.map((bits) => at(bits, 0.51))),
      gaps.map((bits) => bits + 1),
    );
    assert.deepEqual(
      bitsOf(gaps.map((bits) => at(bits, 0.5))),
      gaps.map((bits) => bits + (bits & 1)),
    );
  });

  it('takes what rounds to the largest half, and nothing above', () => {
    assert.deepEqual(bitsOf([65504, 65519.99]), [0x7bff, 0x7bff]);
    for (const value of [65520, -65520, 1e30, Number.POSITIVE_INFINITY, Number.NaN])
      assert.equal(toHalf(Float32Array.of(1, value)), null, String(value));
  });

  it('reads a part of a larger buffer', () => {
    assert.deepEqual([...(toHalf(Float32Array.of(9, 1, 2).subarray(1)) ?? [])], [0x3c00, 0x4000]);
  });
});
