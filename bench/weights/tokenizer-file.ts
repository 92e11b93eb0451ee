// A tokenizer.json as large as a real one, made up: byte-level BPE in which every word of two syllables ("bace", " bace") is
// exactly one token, so that a text of N words has N tokens, and in which the verdict words are one token each.

const kConsonants = [...'bcdfghjklmnpqrstvwxyz'];
const kVowels = [...'aeiou'];
const kSpace = 'Ġ'; // how byte-level BPE spells a space
const kLineBreak = 'Ċ';
const kSpecialTokens = 256;

/** Llama 3's control tokens that a template uses, in the place they have there: the first 256 ids after the plain tokens. */
const kControlTokens: Readonly<Record<number, string>> = {
  0: '<|begin_of_text|>',
  1: '<|end_of_text|>',
  6: '<|start_header_id|>',
  7: '<|end_header_id|>',
  9: '<|eot_id|>',
};

const kSyllables = kConsonants.flatMap((consonant) => kVowels.map((vowel) => consonant + vowel));

/** All words that are one token, with and without a space before them. */
export const kWords: readonly string[] = kSyllables.flatMap((first) => kSyllables.map((second) => first + second));

/** The pieces that are merged, in the order of their rank; two-syllable words only ever merge in one way. */
function* mergePieces(): Generator<[string, string]> {
  for (const consonant of kConsonants) for (const vowel of kVowels) yield [consonant, vowel];
  yield ['u', 'n'];
  yield [kLineBreak, kLineBreak];
  for (const first of kSyllables) for (const second of kSyllables) yield [first, second];
  yield ['un', 'safe'];
  for (const word of kWords) yield [kSpace, word];
  for (const word of kWords) for (const syllable of kSyllables) yield [word, syllable];
}

/** The character that byte-level BPE writes for each byte: itself where it is printable, else one from U+0100 on. */
function byteCharacters(): string[] {
  const printable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 256 + others++));
}

function specialToken(index: number): string {
  return kControlTokens[index] ?? `<|reserved_special_token_${index}|>`;
}

/** Id of the begin-of-text token in a vocabulary of this size. */
export function beginOfText(vocabSize: number): number {
  return vocabSize - kSpecialTokens;
}

/** The contents of tokenizer.json for a vocabulary of `vocabSize`, control tokens included. */
export function tokenizerFile(vocabSize: number): object {
  const vocabulary: Record<string, number> = Object.create(null);
  for (const [id, character] of byteCharacters().entries()) vocabulary[character] = id;
  const merges: [string, string][] = [];
  const pieces = mergePieces();
  while (256 + merges.length < beginOfText(vocabSize)) {
    const next = pieces.next();
    if (next.done) throw new RangeError(`a vocabulary of ${vocabSize} is more than there are made-up words`);
    vocabulary[next.value.join('')] = 256 + merges.length;
    merges.push(next.value);
  }
  const added = Array.from({ length: kSpecialTokens }, (_, index) => ({
    id: beginOfText(vocabSize) + index,
    content: specialToken(index),
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabulary,
      merges,
    },
  };
}
