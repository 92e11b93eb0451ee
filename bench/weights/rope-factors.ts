// Llama 3's rope scaling as llama.cpp wants it: a divisor for each frequency.
import type { GuardShape } from './shapes.js';

/**
 * `(headDim / 2)`: 1 for wavelengths shorter than the original context's high-frequency part, `factor` for those longer than its low-frequency
 * part, in between blended linearly in the inverse wavelength (the config of Llama 3.1, "rope_type": "llama3").
 */
export function ropeFactors({ headDim, ropeTheta, ropeScaling }: GuardShape): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, index) => {
    if (ropeScaling === null) return 1;
    const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = ropeScaling;
    const wavelength = 2 * Math.PI * ropeTheta ** ((2 * index) / headDim);
    const turns = originalMaxPositions / wavelength;
    if (turns > highFreqFactor) return 1;
    if (turns < lowFreqFactor) return factor;
    const share = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return 1 / ((1 - share) / factor + share);
  });
}
