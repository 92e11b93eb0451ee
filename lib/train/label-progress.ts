/** How far labelling has come, and when it will be done. */

import type { LabelProgress } from './label-options.js';

export class LabelProgressMeter {
  readonly #tell: (progress: LabelProgress) => void;
  #rows: number | null = null;
  #failed = 0;
  #done = 0;
  /** Rows that were done before this run. */
  #resumed = 0;
  #startMs = 0;

  constructor(tell: (progress: LabelProgress) => void) {
    this.#tell = tell;
  }

  surveyed(rows: number): void {
    this.#done = rows;
    this.#report('checking');
  }

  loading(rows: number): void {
    this.#rows = rows;
    this.#done = 0;
    this.#report('loading');
  }

  labelling(resumed: number): void {
    this.#resumed = resumed;
    this.#done = resumed;
    this.#startMs = performance.now();
    this.#report('labelling');
  }

  labelled(): void {
    this.#done++;
    this.#report('labelling');
  }

  refused(): void {
    this.#failed++;
    this.labelled();
  }

  writing(): void {
    this.#report('writing');
  }

  #report(stage: LabelProgress['stage']): void {
    const now = this.#done - this.#resumed;
    const rated = stage === 'labelling' && now > 0;
    const rowsPerSecond = rated ? now / ((performance.now() - this.#startMs) / 1000) : null;
    const left = (this.#rows ?? 0) - this.#done;
    this.#tell({
      stage,
      done: this.#done,
      rows: this.#rows,
      failed: this.#failed,
      rowsPerSecond,
      secondsLeft: rowsPerSecond === null ? null : left / rowsPerSecond,
    });
  }
}
