// A chat template as long as Llama Guard 3's: a constant head (task and taxonomy), the messages, a constant tail. The words are made up.
import { kWords } from './tokenizer-file.js';

/** Tokens before the message and after it, appended line break included: what Llama Guard 3 1B's template has, counted with its tokenizer. */
export const kHeadTokens = 139;
export const kTailTokens = 57;

// Tokens of the template that are no words: <bos>, <start>, "u", "se", "r", <end>, "\n\n" before the head's words; in the tail "\n\n" before
// its words, and after them <eot>, <start>, seven pieces of "assistant", <end>, and the "\n\n" that the guard's spec appends.
const kHeadFrame = 7;
const kTailFrame = 12;

/** `count` words, each of them one token, from the `from`th word on. */
export function wordsText(count: number, from: number): string {
  return Array.from({ length: count }, (_, index) => ` ${kWords[(from + index) % kWords.length]}`).join('');
}

export function chatTemplate(): string {
  const head = wordsText(kHeadTokens - kHeadFrame, 0);
  const tail = wordsText(kTailTokens - kTailFrame, 1000);
  return (
    `{{- bos_token -}}<|start_header_id|>user<|end_header_id|>{{- '\\n\\n' -}}{{- '${head}' -}}` +
    "{%- for message in messages -%}{%- for part in message['content'] -%}{{- part['text'] -}}{%- endfor -%}{%- endfor -%}" +
    `{{- '\\n\\n' -}}{{- '${tail}' -}}<|eot_id|><|start_header_id|>assistant<|end_header_id|>`
  );
}
