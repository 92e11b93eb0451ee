/** Files → tables: everything that the rest of the package needs from checkpoints, routers and pairs. */

export { type Checkpoint, openCheckpoint } from './checkpoint.js';
export { type CalibrationRecord, openPair, type Pair } from './pair.js';
export { openRouter, type RouterFile, requireRouterFits } from './router-file.js';
export { type Int8Recipe, planWeightCache } from './weight-cache.js';
