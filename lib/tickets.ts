/** Who waits for which ticket of the native engine. */

import type { NativeEvent } from './native.js';

export class Tickets {
  readonly #receivers = new Map<number, (event: NativeEvent) => void>();

  expect(ticket: number, receiver: (event: NativeEvent) => void): void {
    this.#receivers.set(ticket, receiver);
  }

  forget(ticket: number): void {
    this.#receivers.delete(ticket);
  }

  /** Given to the native engine. A ticket that was given up has no receiver any more. */
  readonly deliver = (events: NativeEvent[]): void => {
    for (const event of events) {
      const receiver = this.#receivers.get(event.ticket);
      if (event.kind !== 'stage') this.#receivers.delete(event.ticket);
      receiver?.(event);
    }
  };
}
