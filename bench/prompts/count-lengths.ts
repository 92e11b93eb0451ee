// Makes message-lengths.json: how many messages of a JSON-lines file of prompts have how many tokens, counted with Llama 3's tokenizer.
// `node --import tsx bench/prompts/count-lengths.ts openai_moderation.jsonl > bench/prompts/message-lengths.json`. Counts only, no text.
import { readFileSync } from 'node:fs';
import { importOptional } from '../contenders/optional-module.js';

/** What is used of llama3-tokenizer-js. */
interface TokenizerModule {
  default: { encode(text: string, options: { bos: boolean; eos: boolean }): number[] };
}

const kBinTokens = 8;
const kSource = 'OpenAI moderation evaluation set (Markov et al., arXiv 2208.03274), prompts, tokens of Llama 3';

const path = process.argv[2];
if (path === undefined)
  throw new RangeError('count-lengths needs the path of a JSON-lines file with a "prompt" in every line');
const { default: tokenizer } = await importOptional<TokenizerModule>('llama3-tokenizer-js');
const counts: number[] = [];
for (const line of readFileSync(path, 'utf8')
  .split('\n')
  .filter((text) => text !== '')) {
  const { prompt } = JSON.parse(line) as { prompt: string };
  const bin = Math.floor((tokenizer.encode(prompt.trim(), { bos: false, eos: false }).length - 1) / kBinTokens);
  counts[bin] = (counts[bin] ?? 0) + 1;
}
console.log(
  JSON.stringify({ source: kSource, binTokens: kBinTokens, counts: Array.from(counts, (count) => count ?? 0) }),
);
