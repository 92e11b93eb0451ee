/** What a router says of every row of a features file. */

import type { RouterFile } from '../checkpoint/index.js';
import { refuse } from '../checkpoint/refusal.js';
import { fromNative } from '../errors.js';
import { loadAddon, type NativeAddon } from '../native.js';
import type { FeatureTable } from './feature-table.js';

/**
 * `(rows)`, each from 0 to 1: the router's σ(z) of every feature. For a router of the benefit recipe that is (1 + E[gain]) / 2. Rejects with
 * ERR_CHECKPOINT where router and features differ in width, ERR_NOT_FINITE naming the row where there is no hardness to be had.
 */
export async function hardnessOf(
  { path, features }: Pick<FeatureTable, 'path' | 'features'>,
  { path: routerPath, inputSize, router }: RouterFile,
  addon: Pick<NativeAddon, 'routeFeatures'> = loadAddon(),
): Promise<Float32Array> {
  if (inputSize !== features.width) {
    refuse(routerPath, `the router reads ${inputSize} values, but the features of ${path} are ${features.width} wide`);
  }
  try {
    return await addon.routeFeatures(router, features);
  } catch (error) {
    throw fromNative(error);
  }
}
