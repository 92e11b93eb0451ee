/** What the main thread and the tokenizer's thread say to each other. Everything here survives structured cloning. */

import type { Conversation } from './conversation.js';
import { type ErrorCode, SafeRouteError } from './errors.js';
import type { PromptSource } from './prompter.js';
import type { VerdictTokens } from './verdict-tokens.js';

/** Of one load: the small guard (or the only one) first, then the large one. */
export type TokenizerSources = readonly [PromptSource, ...PromptSource[]];

/** Indices into `TokenizerSources`. */
export type PromptTargets = readonly number[];

/** `load` is the id of the request that opened a load's tokenizers. */
export type TokenizerRequest =
  | { kind: 'open'; sources: TokenizerSources }
  | { kind: 'prompt'; load: number; conversation: Conversation; targets: PromptTargets }
  | { kind: 'heads'; load: number }
  | { kind: 'count'; load: number; target: number; text: string }
  | { kind: 'release'; load: number };

export type TokenizerAnswer =
  | { kind: 'opened'; guards: VerdictTokens[] }
  /** One entry per target; null where it is the same as the first one's. */
  | { kind: 'prompts'; prompts: (PlainPrompt | null)[] }
  /** For each guard, the beginnings that its prompts share, each `(tokens)`, transferred. */
  | { kind: 'heads'; heads: Int32Array[][] }
  | { kind: 'counted'; tokens: number }
  | { kind: 'released' }
  | { kind: 'refused'; error: PlainError };

export interface ToTokenizer {
  id: number;
  request: TokenizerRequest;
}

export interface FromTokenizer {
  id: number;
  answer: TokenizerAnswer;
}

export interface PlainPrompt {
  /** `(tokens)`, transferred. */
  ids: Int32Array;
  truncated: number;
}

/** An error without what cloning would lose. */
export interface PlainError {
  code: ErrorCode;
  message: string;
}

export function toPlainError(error: unknown): PlainError {
  if (error instanceof SafeRouteError) return { code: error.code, message: error.message };
  return {
    code: 'ERR_BACKEND',
    message: `the tokenizer failed: ${error instanceof Error ? error.message : String(error)}`,
  };
}

export function fromPlainError({ code, message }: PlainError): SafeRouteError {
  return new SafeRouteError(code, message);
}
