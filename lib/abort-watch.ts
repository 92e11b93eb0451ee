/** Hears abort signals for requests: one listener per signal, or Node would warn of a leak where one signal covers many requests. */

import { AbortError } from './errors.js';
import type { Cancellable } from './pending-request.js';

interface Watched {
  requests: Set<Cancellable>;
  onAbort: () => void;
}

export class AbortWatch {
  readonly #watched = new WeakMap<AbortSignal, Watched>();

  /** Cancels the request when the signal aborts; at once if it has. */
  add(signal: AbortSignal, request: Cancellable): void {
    if (signal.aborted) request.cancel(new AbortError(signal.reason));
    else (this.#watched.get(signal) ?? this.#watch(signal)).requests.add(request);
  }

  /** With its last request the signal is left alone. */
  remove(signal: AbortSignal, request: Cancellable): void {
    const watched = this.#watched.get(signal);
    if (watched === undefined || !watched.requests.delete(request) || watched.requests.size > 0) return;
    signal.removeEventListener('abort', watched.onAbort);
    this.#watched.delete(signal);
  }

  #watch(signal: AbortSignal): Watched {
    const requests = new Set<Cancellable>();
    const onAbort = () => {
      for (const request of [...requests]) request.cancel(new AbortError(signal.reason));
    };
    const watched = { requests, onAbort };
    this.#watched.set(signal, watched);
    signal.addEventListener('abort', onAbort, { once: true });
    return watched;
  }
}

/** Of all that follows a caller's signal beside the requests of an engine. */
const kFollowers = new AbortWatch();

/** Aborts `controller` when the signal aborts, with its reason; at once if it has. Returns how to end that. */
export function followAbort(signal: AbortSignal | null, controller: AbortController): () => void {
  if (signal === null) return () => {};
  const follower: Cancellable = { cancel: () => controller.abort(signal.reason) };
  kFollowers.add(signal, follower);
  return () => kFollowers.remove(signal, follower);
}
