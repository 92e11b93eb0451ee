/** The same instances for `import` as for `require`, by name. */

export type * from './index.js';
export { calibrate, evaluate, label, openFeatures, report, train } from './index.js';
