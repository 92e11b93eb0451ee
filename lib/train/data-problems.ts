/** Collects what is wrong with labelled data, so that a person mends a file once and not ten times. */

import { SafeRouteError } from '../errors.js';

const kShown = 10;

export class DataProblems {
  readonly #first: string[] = [];
  #count = 0;

  /** `place` is `<file>:<line>`. */
  add(place: string, problem: string): void {
    if (this.#first.length < kShown) this.#first.push(`${place}: ${problem}`);
    this.#count++;
  }

  /** ERR_DATA: a line for each of the first problems, and the number of the others. */
  throwIfAny(): void {
    if (this.#count === 0) return;
    const others = this.#count - this.#first.length;
    const lines = others === 0 ? this.#first : [...this.#first, `and ${others} more`];
    const heading = this.#count === 1 ? [] : [`${this.#count} problems in the data:`];
    throw new SafeRouteError('ERR_DATA', [...heading, ...lines].join('\n'));
  }
}
