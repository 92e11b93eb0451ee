/** Says when enough tokens have come, asking the tokenizer as seldom as it can. */

/** Counts the tokens of a text on its own. */
export type CountTokens = (text: string) => Promise<number>;

export class TokenGauge {
  readonly #capacity: number;
  readonly #count: CountTokens;
  /** UTF-8 bytes below which the text cannot be full: a token has at least one. */
  #askAtBytes: number;

  constructor(capacity: number, count: CountTokens) {
    this.#capacity = capacity;
    this.#count = count;
    this.#askAtBytes = capacity;
  }

  /** Has `text`, which begins where the gauge was last emptied, at least `capacity` tokens? */
  async isFull(text: string): Promise<boolean> {
    const bytes = Buffer.byteLength(text);
    if (bytes < this.#askAtBytes) return false;
    const missing = this.#capacity - (await this.#count(text));
    this.#askAtBytes = bytes + missing;
    return missing <= 0;
  }

  empty(): void {
    this.#askAtBytes = this.#capacity;
  }
}
