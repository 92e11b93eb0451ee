/**
 * A tokenizer.json as this package uses it: plain text and control tokens apart. Hugging Face's tokenizer is built without its added tokens,
 * so that no text it is given can become one; which parts of a prompt are control tokens is decided here.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Tokenizer } from 'tokenizers';
import { type AddedToken, ControlTokens, isControl, type Piece } from './control-tokens.js';
import { SafeRouteError } from './errors.js';
import { findMembers } from './json-members.js';

const kCachedRuns = 256; // short runs of text whose ids are kept: role names, line breaks, tails of templates
const kCachedRunLength = 64; // characters

/** The bytes of a tokenizer.json, and what tells two of them apart. */
export interface TokenizerFile {
  path: string;
  text: string;
  sha256: string;
}

export async function readTokenizerFile(path: string): Promise<TokenizerFile> {
  const bytes = await readFile(path).catch((cause: unknown) =>
    refuseTokenizer(path, `cannot be read (${(cause as Error).message})`, cause),
  );
  return { path, text: bytes.toString('utf8'), sha256: createHash('sha256').update(bytes).digest('hex') };
}

export class GuardTokenizer {
  readonly control: ControlTokens;
  /** Ids that the tokenizer puts before and after a text by itself, a begin-of-text token as a rule. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly #plain: Tokenizer;
  readonly #controlIds: ReadonlyMap<number, string>;
  readonly #runs = new Map<string, readonly number[]>();

  /** Blocks for as long as the vocabulary takes to load: 0.5 s for 128,000 entries. */
  static async load(file: TokenizerFile): Promise<GuardTokenizer> {
    const { plainText, added } = takeAddedTokens(file);
    let plain: Tokenizer;
    try {
      plain = Tokenizer.fromString(plainText);
    } catch (cause) {
      refuseTokenizer(file.path, `is not a tokenizer: ${(cause as Error).message}`, cause);
    }
    plain.disableTruncation();
    plain.disablePadding();
    refuseUnshieldable(file.path, added, plain);
    const bare = await encode(plain, 'x', false);
    const framed = await encode(plain, 'x', true);
    const at = framed.findIndex((_, index) => bare.every((id, place) => framed[index + place] === id));
    return new GuardTokenizer(plain, added, framed.slice(0, at), framed.slice(at + bare.length));
  }

  private constructor(plain: Tokenizer, added: readonly AddedToken[], before: number[], after: number[]) {
    this.#plain = plain;
    this.control = new ControlTokens(added);
    // The unknown-token mark is what a text without better tokens becomes, in transformers too.
    const control = added.filter(
      (token) => token.special && isControl(token) && !/^[<[]unk[>\]]$/i.test(token.content),
    );
    this.#controlIds = new Map(control.map(({ id, content }) => [id, content]));
    this.before = before;
    this.after = after;
  }

  /** Ids of plain text; no control token is among them. Throws ERR_INPUT where the vocabulary itself would make one. */
  async encodePlain(text: string): Promise<readonly number[]> {
    const known = this.#runs.get(text);
    if (known !== undefined) return known;
    const ids = await encode(this.#plain, text, false);
    for (const id of ids) {
      const control = this.#controlIds.get(id);
      if (control !== undefined)
        throw new SafeRouteError('ERR_INPUT', `this tokenizer would read the control token '${control}' in plain text`);
    }
    if (text.length <= kCachedRunLength) this.#keep(text, ids);
    return ids;
  }

  /** Ids of a text cut into pieces, in order. */
  async encodePieces(pieces: readonly Piece[]): Promise<number[]> {
    const parts = await Promise.all(
      pieces.map((piece) => (piece.text === null ? [piece.id] : this.encodePlain(piece.text))),
    );
    return parts.flat();
  }

  /** "'Ġun' (17)" for each id, for errors. */
  textsOf(ids: readonly number[]): string[] {
    return ids.map((id) => `'${this.#plain.idToToken(id) ?? ''}' (${id})`);
  }

  /** For each token of `text`, where it ends, in code points: `(tokens)`. */
  async tokenEnds(text: string): Promise<number[]> {
    const encoding = await this.#plain.encode(text, null, { addSpecialTokens: false });
    return encoding.getOffsets().map((range) => range[1] as number);
  }

  #keep(text: string, ids: readonly number[]): void {
    if (this.#runs.size >= kCachedRuns) this.#runs.delete(this.#runs.keys().next().value as string);
    this.#runs.set(text, ids);
  }
}

async function encode(tokenizer: Tokenizer, text: string, addSpecialTokens: boolean): Promise<number[]> {
  return (await tokenizer.encode(text, null, { addSpecialTokens })).getIds();
}

/** The file's text without its added tokens, and those. */
function takeAddedTokens({ path, text }: TokenizerFile): {
  plainText: string;
  added: AddedToken[];
} {
  try {
    const members = findMembers(text, ['added_tokens', 'pre_tokenizer']);
    const place = members.get('added_tokens');
    const splitter = members.get('pre_tokenizer');
    refusePositional(path, splitter === undefined ? null : JSON.parse(text.slice(splitter.start, splitter.end)));
    if (place === undefined) return { plainText: text, added: [] };
    const added = JSON.parse(text.slice(place.start, place.end)) as AddedToken[];
    if (!Array.isArray(added) || !added.every(isAddedToken))
      refuseTokenizer(path, 'added_tokens must be an array of tokens with id and content');
    return { plainText: `${text.slice(0, place.start)}[]${text.slice(place.end)}`, added };
  } catch (cause) {
    if (cause instanceof SafeRouteError) throw cause;
    refuseTokenizer(path, `is not a tokenizer.json: ${(cause as Error).message}`, cause);
  }
}

function isAddedToken(token: unknown): token is AddedToken {
  if (typeof token !== 'object' || token === null) return false;
  const { id, content } = token as AddedToken;
  return Number.isInteger(id) && id >= 0 && typeof content === 'string' && content !== '';
}

/** A splitter that marks the beginning of the whole text cannot be given the pieces between control tokens one by one. */
function refusePositional(path: string, splitter: unknown): void {
  if (JSON.stringify(splitter).includes('"prepend_scheme":"first"')) {
    throw new SafeRouteError(
      'ERR_UNSUPPORTED',
      `${path}: a Metaspace pre-tokenizer with prepend_scheme 'first' is not supported`,
    );
  }
}

function refuseUnshieldable(path: string, added: readonly AddedToken[], plain: Tokenizer): void {
  const normalizes = plain.getNormalizer() !== null;
  for (const token of added.filter(isControl)) {
    const why =
      token.normalized && normalizes
        ? 'is looked for in normalized text'
        : [...token.content].length === 1
          ? 'is a single character'
          : null;
    if (why !== null) {
      throw new SafeRouteError(
        'ERR_UNSUPPORTED',
        `${path}: the added token '${token.content}' ${why}, so a caller's text could not be kept from spelling it`,
      );
    }
  }
}

/** Throws ERR_CHECKPOINT. */
export function refuseTokenizer(path: string, problem: string, cause: unknown = undefined): never {
  throw new SafeRouteError('ERR_CHECKPOINT', `${path}: ${problem}`, { cause });
}
