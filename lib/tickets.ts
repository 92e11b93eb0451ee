/** Who waits for which ticket of the native engine, and who hears of alarms. */

import type { NativeEvent } from './native.js';
import type { NativeAlarm } from './native-escalation.js';

export class Tickets {
  readonly #receivers = new Map<number, (event: NativeEvent) => void>();
  readonly #onAlarm: (alarm: NativeAlarm) => void;

  constructor(onAlarm: (alarm: NativeAlarm) => void) {
    this.#onAlarm = onAlarm;
  }

  expect(ticket: number, receiver: (event: NativeEvent) => void): void {
    this.#receivers.set(ticket, receiver);
  }

  forget(ticket: number): void {
    this.#receivers.delete(ticket);
  }

  /** Given to the native engine. A ticket that was given up has no receiver any more. */
  readonly deliver = (events: NativeEvent[]): void => {
    for (const event of events) {
      if (event.kind === 'alarm') {
        this.#onAlarm(event.alarm);
        continue;
      }
      const receiver = this.#receivers.get(event.ticket);
      if (event.kind !== 'stage') this.#receivers.delete(event.ticket);
      receiver?.(event);
    }
  };
}
