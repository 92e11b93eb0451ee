/** One line on stderr that is rewritten in place while work goes on; silent where stderr is no terminal. */

import type { WriteStream } from 'node:tty';

const kClear = '\r\u001b[2K';
const kIntervalMs = 100;

export class ProgressLine {
  readonly #stream: WriteStream;
  readonly #rewrites: boolean;
  #shownAtMs = Number.NEGATIVE_INFINITY;

  /** Without `rewrites` only the last line is written. */
  constructor(stream: WriteStream, rewrites: boolean) {
    this.#stream = stream;
    this.#rewrites = rewrites;
  }

  /** Shows `text`, unless another was shown a moment ago. */
  show(text: string): void {
    if (!this.#stream.isTTY || !this.#rewrites) return;
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < kIntervalMs) return;
    this.#shownAtMs = nowMs;
    this.#stream.write(`${kClear}${text}`);
  }

  clear(): void {
    if (this.#stream.isTTY && this.#rewrites) this.#stream.write(kClear);
  }

  /** Replaces the line by a last one that stays. */
  end(text: string): void {
    if (this.#stream.isTTY) this.#stream.write(`${kClear}${text}\n`);
  }
}
