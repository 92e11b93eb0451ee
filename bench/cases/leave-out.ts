// What becomes of a case when one contender drops out.
import { Unavailable } from '../unavailable.js';
import type { Bench } from './case.js';

/** One contender's failure does not cost the figures of the others: it is told, as a fault only where it is one. */
export function leaveOut({ note, fail }: Bench, name: string, contender: string, cause: unknown): void {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Unavailable) note(`${name}: ${contender} skipped: ${message}`);
  else fail(`${name}: ${contender} failed: ${message}`);
}
