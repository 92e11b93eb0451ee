/** The tokenizers of one load, on the thread that all loads share. */

import type { Conversation } from './conversation.js';
import { SafeRouteError } from './errors.js';
import {
  fromPlainError,
  type PlainPrompt,
  type PromptTargets,
  type TokenizerAnswer,
  type TokenizerRequest,
  type TokenizerSources,
} from './tokenizer-protocol.js';
import { TokenizerThread, type Urgency } from './tokenizer-thread.js';
import type { VerdictTokens } from './verdict-tokens.js';

/** What a request settles with. */
export type Answer<T> = { value: T } | { error: SafeRouteError };

type AnswerOf<K> = Extract<TokenizerAnswer, { kind: K }>;

/** Used on the thread that made it. Each asking call returns an id that `drop` takes. */
export class Tokenizers {
  /** What each guard's verdict is read from. */
  readonly guards: readonly VerdictTokens[];
  readonly #thread: TokenizerThread;
  readonly #load: number;
  readonly #asked = new Set<number>();
  #closing: Promise<void> | null = null;

  /** Resolves when every vocabulary is loaded; rejects with what is wrong with one, and then nothing of the load is left on the thread. */
  static async open(
    sources: TokenizerSources,
    thread: TokenizerThread = TokenizerThread.shared(),
  ): Promise<Tokenizers> {
    return new Promise((resolve, reject) => {
      const load = thread.ask(
        { kind: 'open', sources },
        (answer) => {
          if (answer.kind === 'opened') resolve(new Tokenizers(thread, load, answer.guards));
          else reject(errorOf(answer));
        },
        'now',
      );
    });
  }

  private constructor(thread: TokenizerThread, load: number, guards: readonly VerdictTokens[]) {
    this.#thread = thread;
    this.#load = load;
    this.guards = guards;
  }

  /** One prompt per target; null where it is the same as the first one's. */
  prompt(
    conversation: Conversation,
    targets: PromptTargets,
    settle: (answer: Answer<(PlainPrompt | null)[]>) => void,
    bulk = false,
  ): number {
    return this.#ask(
      { kind: 'prompt', load: this.#load, conversation, targets },
      'prompts',
      (answer) => settle('error' in answer ? answer : { value: answer.value.prompts }),
      bulk ? 'bulk' : 'interactive',
    );
  }

  /** Tokens of a text on its own, by the tokenizer of one guard. */
  count(target: number, text: string, settle: (answer: Answer<number>) => void): number {
    return this.#ask({ kind: 'count', load: this.#load, target, text }, 'counted', (answer) =>
      settle('error' in answer ? answer : { value: answer.value.tokens }),
    );
  }

  /** For each guard, the beginnings that its prompts share, each `(tokens)`. */
  heads(): Promise<Int32Array[][]> {
    return new Promise((resolve, reject) => {
      this.#ask({ kind: 'heads', load: this.#load }, 'heads', (answer) => {
        if ('error' in answer) reject(answer.error);
        else resolve(answer.value.heads);
      });
    });
  }

  /** Forgets a request wherever it is; its `settle` is not called. */
  drop(id: number): void {
    this.#asked.delete(id);
    this.#thread.drop(id);
  }

  /** Requests that are still here are not settled any more. Resolves when the thread has let go of the tokenizers. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      for (const id of this.#asked) this.#thread.drop(id);
      this.#asked.clear();
      this.#thread.ask({ kind: 'release', load: this.#load }, () => resolve(), 'now');
    });
    return this.#closing;
  }

  #ask<K extends TokenizerAnswer['kind']>(
    request: TokenizerRequest,
    kind: K,
    settle: (answer: Answer<AnswerOf<K>>) => void,
    urgency: Urgency = 'interactive',
  ): number {
    if (this.#closing !== null) {
      queueMicrotask(() => settle({ error: new SafeRouteError('ERR_CLOSED', 'the tokenizer is closed') }));
      return 0;
    }
    const onAnswer = (answer: TokenizerAnswer) => {
      this.#asked.delete(id);
      settle(answer.kind === kind ? { value: answer as AnswerOf<K> } : { error: errorOf(answer) });
    };
    const id = this.#thread.ask(request, onAnswer, urgency);
    this.#asked.add(id);
    return id;
  }
}

function errorOf(answer: TokenizerAnswer): SafeRouteError {
  if (answer.kind === 'refused') return fromPlainError(answer.error);
  return new SafeRouteError('ERR_BACKEND', `the tokenizer thread answered '${answer.kind}' to another question`);
}
