/** The tokenizer's thread: loads vocabularies, which blocks for half a second, and turns conversations into ids, both guards' together. */

import { join } from 'node:path';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { collectGarbage } from './collect-garbage.js';
import { loadAddon } from './native.js';
import { findHeads } from './prompt-heads.js';
import { Prompter, type PromptSource } from './prompter.js';
import {
  type FromTokenizer,
  type TokenizerAnswer,
  type TokenizerRequest,
  type TokenizerSources,
  type ToTokenizer,
  toPlainError,
} from './tokenizer-protocol.js';
import { Vocabularies } from './vocabularies.js';

/** A guard's prompter, and what its prompts follow from: two guards with the same key get the same ids. */
interface KeyedPrompter {
  key: string;
  prompter: Prompter;
}

class TokenizerDesk {
  readonly #loads = new Map<number, readonly KeyedPrompter[]>();
  readonly #vocabularies = new Vocabularies(giveBackMemory);

  async answer(id: number, request: TokenizerRequest): Promise<TokenizerAnswer> {
    switch (request.kind) {
      case 'open': {
        const guards = await this.#open(id, request.sources);
        return { kind: 'opened', guards: guards.map(({ prompter }) => prompter.verdict) };
      }
      case 'prompt': {
        const chosen = request.targets.map((target) => this.#guardOf(request.load, target));
        const prompts = chosen.map(({ key, prompter }, place) =>
          place > 0 && key === chosen[0]?.key ? null : prompter.prompt(request.conversation),
        );
        return { kind: 'prompts', prompts: await allInOrder(prompts) };
      }
      case 'heads':
        return {
          kind: 'heads',
          heads: await allInOrder(this.#guardsOf(request.load).map(({ prompter }) => findHeads(prompter))),
        };
      case 'count':
        return {
          kind: 'counted',
          tokens: await this.#guardOf(request.load, request.target).prompter.countTokens(request.text),
        };
      case 'release':
        this.#loads.delete(request.load);
        this.#vocabularies.release(request.load);
        await collectGarbage();
        return { kind: 'released' };
    }
  }

  async #open(load: number, sources: TokenizerSources): Promise<readonly KeyedPrompter[]> {
    try {
      const guards: KeyedPrompter[] = [];
      for (const source of sources) {
        const { tokenizer, sha256 } = await this.#vocabularies.take(load, join(source.dir, 'tokenizer.json'));
        guards.push({ key: keyOf(source, sha256), prompter: await Prompter.open(source, tokenizer) });
      }
      this.#loads.set(load, guards);
      return guards;
    } catch (error) {
      this.#vocabularies.release(load);
      throw error;
    }
  }

  #guardsOf(load: number): readonly KeyedPrompter[] {
    const guards = this.#loads.get(load);
    if (guards === undefined) throw new Error('its tokenizers were released');
    return guards;
  }

  #guardOf(load: number, target: number): KeyedPrompter {
    const guard = this.#guardsOf(load)[target];
    if (guard === undefined) throw new Error(`there is no guard ${target}`);
    return guard;
  }
}

/** What a vocabulary took is native memory behind a small object: it is free when that object was collected, and the system's after a trim. */
async function giveBackMemory(): Promise<void> {
  await collectGarbage();
  loadAddon().trimMemory();
}

/** As Promise.all, but where several fail it tells of the first in the list, whichever failed first: of the small guard before the large one. */
async function allInOrder<T>(work: readonly (T | Promise<T>)[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

function keyOf({ spec, template, contextTokens, vocabSize }: PromptSource, sha256: string): string {
  return JSON.stringify([sha256, spec, template.source, template.specialTokens, contextTokens, vocabSize]);
}

/** Buffers of ids change hands; what is copied is small. */
function transferable(answer: TokenizerAnswer): ArrayBuffer[] {
  if (answer.kind === 'prompts') {
    return answer.prompts.flatMap((prompt) => (prompt === null ? [] : [prompt.ids.buffer as ArrayBuffer]));
  }
  return answer.kind === 'heads' ? answer.heads.flat().map((ids) => ids.buffer as ArrayBuffer) : [];
}

function run(port: MessagePort): void {
  const desk = new TokenizerDesk();
  port.on('message', async ({ id, request }: ToTokenizer) => {
    const answer = await desk
      .answer(id, request)
      .catch((error: unknown): TokenizerAnswer => ({ kind: 'refused', error: toPlainError(error) }));
    port.postMessage({ id, answer } satisfies FromTokenizer, transferable(answer));
  });
}

if (parentPort !== null) run(parentPort);
