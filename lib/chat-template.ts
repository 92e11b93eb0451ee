/** Finds a checkpoint's chat template and renders conversations with it, as transformers' apply_chat_template does. */

import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Template } from '@huggingface/jinja';
import { isRegularFile, readJsonFile } from './checkpoint/source-file.js';
import { isJsonObject, type JsonObject } from './checkpoint/strict-json.js';
import { SafeRouteError } from './errors.js';
import { kTemplateFunctions, replaceFunctions, TemplateRefusal } from './template-functions.js';

/** Plain data: it crosses to the tokenizer's thread. */
export interface ChatTemplateSource {
  /** File that it stands in, for errors. */
  path: string;
  source: string;
  /** bos_token, eos_token and the like, as the template sees them. */
  specialTokens: Record<string, string>;
}

/** A message as a template gets it. */
export interface TemplateMessage {
  role: string;
  content: string | { type: 'text'; text: string }[];
}

const kConfigLimit = 16 << 20; // bytes of tokenizer_config.json; the largest known has 0.1 MB
const kSpecialTokenKeys = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/** The template of `file`, which a spec may name; else of the checkpoint's chat_template.jinja; else of its tokenizer_config.json. */
export async function readChatTemplate(dir: string, file: string | null): Promise<ChatTemplateSource> {
  const path = join(dir, 'tokenizer_config.json');
  const config = await readJsonFile(path, kConfigLimit);
  if (!isJsonObject(config)) throw new SafeRouteError('ERR_CHECKPOINT', `${path}: must hold a JSON object`);
  const specialTokens = specialTokensOf(config);
  const beside = join(dir, 'chat_template.jinja');
  const own = file !== null ? resolve(dir, file) : (await isRegularFile(beside)) ? beside : null;
  if (own === null) return { path, source: configuredTemplate(config, path), specialTokens };
  const source = await readFile(own, 'utf8').catch((cause: unknown) => {
    throw new SafeRouteError('ERR_SPEC', `${own}: the chat template cannot be read (${(cause as Error).message})`, {
      cause,
    });
  });
  return { path: own, source, specialTokens };
}

/** A string, or an array of named templates, of which the one called "default" is meant, as in transformers. */
function configuredTemplate(config: JsonObject, path: string): string {
  const { chat_template: template } = config;
  if (typeof template === 'string') return template;
  const named = Array.isArray(template) ? template.filter(isJsonObject) : [];
  const fallback = named.length === 1 ? named[0] : named.find(({ name }) => name === 'default');
  if (typeof fallback?.template === 'string') return fallback.template;
  const found =
    named.length === 0
      ? 'no chat_template'
      : `the templates ${named.map(({ name }) => `'${String(name)}'`).join(', ')}, none called 'default'`;
  throw new SafeRouteError('ERR_SPEC', `${path}: has ${found}; name a file with the guard spec's template key`);
}

/** Each stands in the file as a string, or as an object with the string as its content. */
function specialTokensOf(config: JsonObject): Record<string, string> {
  const found: Record<string, string> = {};
  for (const key of kSpecialTokenKeys) {
    const token = config[key];
    const text = isJsonObject(token) ? token.content : token;
    if (typeof text === 'string') found[key] = text;
  }
  return found;
}

export class ChatTemplate {
  readonly #path: string;
  readonly #template: Template;
  readonly #variables: Record<string, unknown>;

  /** Throws ERR_SPEC where the template does not parse. */
  constructor(source: ChatTemplateSource, variables: Record<string, unknown>) {
    this.#path = source.path;
    try {
      this.#template = new Template(source.source);
      replaceFunctions(this.#template.parsed);
    } catch (cause) {
      throw new SafeRouteError(
        'ERR_SPEC',
        `${source.path}: the chat template does not parse: ${(cause as Error).message}`,
        { cause },
      );
    }
    this.#variables = {
      tools: null,
      documents: null,
      add_generation_prompt: true,
      ...source.specialTokens,
      ...variables,
    };
  }

  /** Throws ERR_INPUT where the template refuses the conversation, ERR_SPEC where it fails. */
  render(messages: TemplateMessage[]): string {
    try {
      return this.#template.render({ ...this.#variables, ...kTemplateFunctions, messages });
    } catch (cause) {
      if (cause instanceof TemplateRefusal) {
        throw new SafeRouteError('ERR_INPUT', `the guard's template refuses this conversation: ${cause.message}`, {
          cause,
        });
      }
      throw new SafeRouteError('ERR_SPEC', `${this.#path}: the chat template fails: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
}
