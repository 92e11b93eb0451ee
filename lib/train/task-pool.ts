/** Tasks side by side, as many as their number and the bytes that they hold allow. */

export class TaskPool {
  readonly #tasks: number;
  readonly #bytes: number;
  readonly #running = new Set<Promise<void>>();
  #bytesHeld = 0;
  #failure: { error: unknown } | null = null;
  #wake = () => {};

  constructor(limits: { tasks: number; bytes: number }) {
    this.#tasks = limits.tasks;
    this.#bytes = limits.bytes;
  }

  /** Starts `task` as soon as there is room; one that is larger than all the room runs alone. Throws the first error of any task. */
  async run(bytes: number, task: () => Promise<void>): Promise<void> {
    while (!this.#hasRoom(bytes)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#throwFailure();
    this.#bytesHeld += bytes;
    const running = task()
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .then(() => {
        this.#running.delete(running);
        this.#bytesHeld -= bytes;
        this.#wake();
      });
    this.#running.add(running);
  }

  /** Resolves when no task runs any more; rejects with the first error of any. */
  async end(): Promise<void> {
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  #hasRoom(bytes: number): boolean {
    if (this.#failure !== null || this.#running.size === 0) return true;
    return this.#running.size < this.#tasks && this.#bytesHeld + bytes <= this.#bytes;
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
