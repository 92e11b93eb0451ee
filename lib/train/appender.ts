/** Writes at the end of a file what comes in while earlier writes are under way in one go, so that many small records cost few calls. */

import type { FileHandle } from 'node:fs/promises';

export class Appender {
  readonly #file: FileHandle;
  #end: number;
  #waiting: Uint8Array[] = [];
  /** Of the write that takes what waits; null where nothing waits. */
  #next: Promise<void> | null = null;
  #last: Promise<void> = Promise.resolve();

  /** Owned by whoever closes `file`; writes begin at `end`. */
  constructor(file: FileHandle, end: number) {
    this.#file = file;
    this.#end = end;
  }

  /** Resolves when the bytes are with the operating system. After a write that failed all others fail as it did. */
  append(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#next ??= this.#last = this.#last.then(() => this.#write());
    return this.#next;
  }

  async #write(): Promise<void> {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#next = null;
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#end);
      done += bytesWritten;
      this.#end += bytesWritten;
    }
  }
}
