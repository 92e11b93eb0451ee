import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kPalette, type Paint } from '../../../lib/charts/palette.js';

/** As WCAG 2.2 defines relative luminance and contrast. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe('the palette', () => {
  for (const ground of ['light', 'dark'] as const) {
    it(`has the contrast of AA on ${ground}`, () => {
      const against = (name: Paint) => contrast(kPalette[name][ground], kPalette.paper[ground]);
      for (const name of ['ink', 'muted', 'red', 'green', 'blue'] as const) {
        assert.ok(against(name) >= 4.5, `text in ${name}: ${against(name)}`);
      }
      const marks = (Object.keys(kPalette) as Paint[]).filter((name) => name !== 'paper' && name !== 'grid');
      for (const name of marks) assert.ok(against(name) >= 3, `${name}: ${against(name)}`);
    });
  }
});
