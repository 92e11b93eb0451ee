// Progress on stderr: one line that is rewritten on a terminal, and lines that stay.
import type { WriteStream } from 'node:tty';

const kClear = '\r\u001b[2K';
const kQuietMs = 10_000; // where no line can be rewritten, one in this time shows that the run goes on

export class ProgressLine {
  #shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly stream: WriteStream) {}

  show(line: string): void {
    if (this.stream.isTTY) {
      this.stream.write(`${kClear}${line}`);
      return;
    }
    const nowMs = performance.now();
    if (nowMs - this.#shownAtMs < kQuietMs) return;
    this.#shownAtMs = nowMs;
    this.stream.write(`${line}\n`);
  }

  keep(line: string): void {
    this.clear();
    this.stream.write(`${line}\n`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write(kClear);
  }
}
