/** The time by which a request must have its answer. */

import { SafeRouteError } from './errors.js';
import type { Cancellable } from './pending-request.js';

export class Deadline {
  readonly #afterMs: number;
  readonly #atMs: number; // by performance.now()
  #timer: NodeJS.Timeout | undefined;

  /** The clock starts now. */
  constructor(afterMs: number) {
    this.#afterMs = afterMs;
    this.#atMs = performance.now() + afterMs;
  }

  /** Cancels the request when the time has come, at once where it has, unless `clear` comes before. */
  watch(request: Cancellable): void {
    if (this.leftMs() <= 0) request.cancel(this.error());
    else this.#timer = setTimeout(() => request.cancel(this.error()), this.#afterMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }

  /** Not above 0 once it has passed. */
  leftMs(): number {
    return this.#atMs - performance.now();
  }

  error(): SafeRouteError {
    return new SafeRouteError('ERR_DEADLINE', `no answer within the deadline of ${this.#afterMs} ms`);
  }
}
