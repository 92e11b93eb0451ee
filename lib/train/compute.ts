/** What a guard's prefill costs: from the shape of its decoder, or nothing where there is no checkpoint to take it from. */

import { openCheckpoint } from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import type { NativeModelSpec } from '../native.js';

/**
 * Parameters that each token of a prompt is multiplied with: the layers' matrices. The embedding is looked up, and of lm_head a verdict reads
 * a few rows at the last token only.
 */
function parametersPerToken(spec: NativeModelSpec): number {
  const { layers, hiddenSize, heads, kvHeads, headDim, intermediateSize } = spec;
  const attention = hiddenSize * headDim * (2 * heads + 2 * kvHeads); // q and o; k and v
  return layers * (attention + 3 * hiddenSize * intermediateSize);
}

/**
 * Floating-point operations per token of the guard in `dir`: 2 × parameters, the field's usual estimate, without the products of attention.
 * null where the checkpoint isn't there or isn't one that is known.
 */
export async function flopPerToken(dir: string): Promise<number | null> {
  try {
    return 2 * parametersPerToken((await openCheckpoint(dir)).spec);
  } catch (error) {
    if (error instanceof SafeRouteError && (error.code === 'ERR_CHECKPOINT' || error.code === 'ERR_UNSUPPORTED'))
      return null;
    throw error;
  }
}
