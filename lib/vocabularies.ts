/** The vocabularies in memory: guards with the same tokenizer.json share one, whichever load they belong to. */

import { GuardTokenizer, type TokenizerFile } from './guard-tokenizer.js';

interface Held {
  tokenizer: Promise<GuardTokenizer>;
  /** Loads that use it. */
  loads: Set<number>;
}

export class Vocabularies {
  readonly #held = new Map<string, Held>(); // by the file's digest

  /** Rejects where the file is none. */
  take(load: number, file: TokenizerFile): Promise<GuardTokenizer> {
    const held = this.#held.get(file.sha256) ?? { tokenizer: GuardTokenizer.load(file), loads: new Set() };
    held.loads.add(load);
    this.#held.set(file.sha256, held);
    return held.tokenizer;
  }

  /** A vocabulary goes with the last load that used it. Tells whether one went. */
  release(load: number): boolean {
    const before = this.#held.size;
    for (const [digest, { loads }] of this.#held) {
      loads.delete(load);
      if (loads.size === 0) this.#held.delete(digest);
    }
    return this.#held.size < before;
  }
}
