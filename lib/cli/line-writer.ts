/** Writes JSON lines no faster than the reader takes them, and takes it calmly when the reader goes away. */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { codeOf } from './exit.js';

export class LineWriter {
  readonly #stream: Writable;
  readonly #onGone: () => void;
  #gone = false;
  /** What every write waits for while the stream is full. */
  #drained: Promise<void> | null = null;

  /** `onGone` is called once, when whoever read our output has closed it (`| head` does). */
  constructor(stream: Writable, onGone: () => void) {
    this.#stream = stream;
    this.#onGone = onGone;
    stream.on('error', (error) => this.#lost(error));
  }

  /** Resolves when the line is on its way, with no more before it than the stream wants to hold. */
  async write(value: unknown): Promise<void> {
    if (this.#gone || this.#stream.write(`${JSON.stringify(value)}\n`)) return;
    // An error instead of 'drain' has already reached lost().
    this.#drained ??= once(this.#stream, 'drain').then(
      () => this.#flow(),
      () => this.#flow(),
    );
    await this.#drained;
  }

  #flow(): void {
    this.#drained = null;
  }

  #lost(error: Error): void {
    if (codeOf(error) !== 'EPIPE') throw error;
    if (!this.#gone) this.#onGone();
    this.#gone = true;
  }
}
