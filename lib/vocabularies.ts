/** The vocabularies in memory: guards with the same tokenizer.json share one, whichever load they belong to. */

import { stat } from 'node:fs/promises';
import { GuardTokenizer, readTokenizerFile, refuseTokenizer } from './guard-tokenizer.js';

/** A vocabulary, and what tells it from others. */
export interface Vocabulary {
  tokenizer: GuardTokenizer;
  sha256: string;
}

interface Held {
  vocabulary: Promise<Vocabulary>;
  /** Of the files that were seen to hold it, so that a file is not read again for as long as it stays the same. */
  files: Set<string>;
  /** Loads that use it. */
  loads: Set<number>;
  expiry: NodeJS.Timeout | null;
}

/**
 * How long a vocabulary outlives the last load that used it. A service that loads its pair anew wants the same one again, and every
 * vocabulary that is made leaves some 20 KB with the threads that used it: tokenizers 0.23 keeps a cache per thread and never lets it go.
 */
const kKeepMs = 10_000;

export class Vocabularies {
  readonly #held = new Map<string, Held>(); // by the file's digest
  readonly #onDropped: () => void;

  /** `onDropped` is called after vocabularies that nobody used any more have gone. */
  constructor(onDropped: () => void) {
    this.#onDropped = onDropped;
  }

  /** Rejects with ERR_CHECKPOINT where the file is no tokenizer.json. */
  async take(load: number, path: string): Promise<Vocabulary> {
    const file = await identityOf(path);
    const held = this.#holding(file) ?? (await this.#read(path));
    held.files.add(file);
    held.loads.add(load);
    if (held.expiry !== null) clearTimeout(held.expiry);
    held.expiry = null;
    return held.vocabulary;
  }

  /** A vocabulary goes some seconds after the last load that used it. */
  release(load: number): void {
    for (const [sha256, held] of this.#held) {
      if (held.loads.delete(load) && held.loads.size === 0) held.expiry = setTimeout(() => this.#drop(sha256), kKeepMs);
    }
  }

  #holding(file: string): Held | undefined {
    return [...this.#held.values()].find(({ files }) => files.has(file));
  }

  async #read(path: string): Promise<Held> {
    const file = await readTokenizerFile(path);
    const { sha256 } = file;
    const known = this.#held.get(sha256);
    if (known !== undefined) return known;
    const vocabulary = GuardTokenizer.load(file).then((tokenizer) => ({ tokenizer, sha256 }));
    const held: Held = { vocabulary, files: new Set(), loads: new Set(), expiry: null };
    this.#held.set(sha256, held);
    vocabulary.catch(() => this.#held.delete(sha256));
    return held;
  }

  #drop(sha256: string): void {
    this.#held.delete(sha256);
    this.#onDropped();
  }
}

/** Changes with a file's content, without its being read. */
async function identityOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch((cause: unknown) =>
    refuseTokenizer(path, `cannot be read (${(cause as Error).message})`, cause),
  );
  return [found.dev, found.ino, found.size, found.mtimeNs].join(':');
}
