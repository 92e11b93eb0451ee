/** The same instances for `import` as for `require`, by name. */

export type * from './index.js';
export {
  AbortError,
  Guard,
  Moderation,
  PairedGuard,
  SafeRoute,
  SafeRouteError,
  UnsafeResponseError,
} from './index.js';
