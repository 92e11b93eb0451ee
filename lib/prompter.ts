/**
 * Turns a conversation into the ids that one guard reads: template, control tokens, begin-of-text, what the spec appends.
 * Runs on the tokenizer's thread. Trusted: template and spec. Not trusted: everything in the conversation.
 */

import { ChatTemplate, type ChatTemplateSource, type TemplateMessage } from './chat-template.js';
import type { Piece } from './control-tokens.js';
import type { Conversation } from './conversation.js';
import { SafeRouteError } from './errors.js';
import type { ResolvedSpec } from './guard-spec.js';
import type { GuardTokenizer } from './guard-tokenizer.js';
import { freeMark, privateUseOf, toTemplateMessages } from './template-messages.js';
import type { Message } from './verdict.js';
import { findVerdictTokens, type VerdictTokens } from './verdict-tokens.js';

/** Everything that a guard's prompts follow from, beside its tokenizer. Plain data: it crosses to the tokenizer's thread. */
export interface PromptSource {
  /** 'small', 'large' or 'guard': which one an error is about. */
  name: string;
  /** The checkpoint's directory. */
  dir: string;
  spec: ResolvedSpec;
  template: ChatTemplateSource;
  contextTokens: number;
  vocabSize: number;
  specialTokens: 'text' | 'parse';
  overlong: 'error' | 'truncate';
}

export interface Prompt {
  /** `(tokens)` */
  ids: Int32Array;
  /** Tokens of the judged message that were cut away. */
  truncated: number;
}

/** What a conversation of one shape must render to, whatever its texts say. */
interface Shape {
  /** Control tokens, in order. */
  control: number[];
  /** Index of a message that the template leaves out, or null. */
  dropped: number | null;
}

const kShapes = 256; // shapes kept
const kGuesses = 4; // cuts that are guessed before they are bisected
const kSpare = 3; // tokens of context that a cut may leave unused
const kStandInRules = 'rulestext';

/** Stands for the text of a message: a word that no template changes but in its case. */
function standIn(index: number): string {
  return `message${index}text`;
}

export class Prompter {
  readonly source: PromptSource;
  readonly verdict: VerdictTokens;
  readonly #tokenizer: GuardTokenizer;
  readonly #template: ChatTemplate;
  readonly #shapes = new Map<string, Shape>();
  readonly #reservedMarks: ReadonlySet<string>;
  #parts = false;

  /** Throws ERR_SPEC where spec, template and tokenizer do not fit each other. */
  static async open(source: PromptSource, tokenizer: GuardTokenizer): Promise<Prompter> {
    const prompter = new Prompter(source, tokenizer, await findVerdictTokens(source, tokenizer));
    prompter.#findContentForm();
    return prompter;
  }

  private constructor(source: PromptSource, tokenizer: GuardTokenizer, verdict: VerdictTokens) {
    this.source = source;
    this.verdict = verdict;
    this.#tokenizer = tokenizer;
    this.#template = new ChatTemplate(source.template, source.spec.variables);
    this.#reservedMarks = privateUseOf([
      source.template.source,
      JSON.stringify(source.spec),
      ...tokenizer.control.texts(),
    ]);
  }

  /** Throws ERR_INPUT for what this guard cannot be asked, ERR_CONTEXT_LENGTH for what does not fit. */
  async prompt(conversation: Conversation): Promise<Prompt> {
    this.#requireTakes(conversation);
    const ids = await this.#encode(conversation);
    const { contextTokens, overlong } = this.source;
    if (ids.length <= contextTokens) return { ids: Int32Array.from(ids), truncated: 0 };
    if (overlong === 'error') this.#refuseLength(`the prompt has ${ids.length} tokens`);
    return this.#truncate(conversation, ids.length - contextTokens);
  }

  /** Tokens of a text on its own, without template and control tokens. */
  async countTokens(text: string): Promise<number> {
    return (await this.#tokenizer.encodePlain(text)).length;
  }

  async #encode(conversation: Conversation): Promise<number[]> {
    const { append } = this.source.spec;
    const pieces = this.#pieces(conversation);
    const text = await this.#tokenizer.encodePieces(pieces);
    const ids = [...this.#frame(text), ...(append && 'ids' in append ? append.ids : [])];
    const outside = ids.find((id) => id >= this.source.vocabSize);
    if (outside !== undefined) {
      throw new SafeRouteError(
        'ERR_CHECKPOINT',
        `${this.source.dir}: the tokenizer gives the id ${outside}, the model has ${this.source.vocabSize}`,
      );
    }
    return ids;
  }

  /** The rendered prompt, cut at its control tokens. Those come from template and spec alone, unless special tokens are to be parsed. */
  #pieces(conversation: Conversation): Piece[] {
    const { control } = this.#tokenizer;
    if (this.source.specialTokens === 'parse') return control.split(this.#render(conversation, (text) => text));
    const shape = this.#shapeOf(conversation);
    if (shape.dropped !== null)
      this.#refuseInput(
        `its template leaves out message ${shape.dropped} (${conversation.messages[shape.dropped]?.role})`,
      );
    const mark = freeMark(conversation, this.#reservedMarks);
    const marked = control.split(this.#render(conversation, (text) => control.shield(text, mark)));
    const found = control.controlIds(marked);
    if (found.length !== shape.control.length || found.some((id, index) => id !== shape.control[index])) {
      this.#refuseInput('its template would turn text of this conversation into control tokens');
    }
    return marked
      .map((piece): Piece => (piece.text === null ? piece : { text: piece.text.replaceAll(mark, ''), id: null }))
      .filter((piece) => piece.text !== '');
  }

  #render(conversation: Conversation, shield: (text: string) => string): string {
    const { append } = this.source.spec;
    const messages = toTemplateMessages(conversation, this.source.spec, shield);
    const text = this.#template.render(this.#parts ? messages.map(inParts) : messages);
    return append && 'text' in append ? text + append.text : text;
  }

  /** Renders once, for every order of roles, stand-ins for the texts; blank texts stand for themselves, a template may treat them apart. */
  #shapeOf({ messages, rules }: Conversation): Shape {
    const blanks = messages.map(({ content }) => content.trim() === '');
    const key = `${messages.map(({ role }, index) => role[0] + (blanks[index] ? '_' : '')).join('')}${rules?.trim() === '' ? '_' : ''}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const standIns = messages.map((message, index) =>
      blanks[index] ? message : { ...message, content: standIn(index) },
    );
    const text = this.#render(
      { messages: standIns, rules: rules?.trim() ? kStandInRules : rules },
      (standIn) => standIn,
    );
    const lower = text.toLowerCase();
    const dropped = standIns.findIndex(({ content }, index) => !blanks[index] && !lower.includes(content));
    const shape = {
      control: this.#tokenizer.control.controlIds(this.#tokenizer.control.split(text)),
      dropped: dropped < 0 ? null : dropped,
    };
    if (this.#shapes.size >= kShapes) this.#shapes.delete(this.#shapes.keys().next().value as string);
    this.#shapes.set(key, shape);
    return shape;
  }

  /** Begin-of-text exactly once, or, as SafeRoute's reference code, also the one that the tokenizer adds to any text. */
  #frame(ids: number[]): number[] {
    const { before, after } = this.#tokenizer;
    if (this.source.spec.bos === 'twice') return [...before, ...ids, ...after];
    return before.some((id) => !ids.includes(id)) ? [...before, ...ids] : ids;
  }

  /**
   * Cuts the end of the judged message so that the prompt fits, to within `kSpare` tokens where it can. As many of its tokens as the prompt
   * is too long is a good guess, but not where the template would have trimmed them; then it bisects.
   */
  async #truncate(conversation: Conversation, excess: number): Promise<Prompt> {
    const judged = conversation.messages.at(-1) as Message;
    const ends = await this.#tokenizer.tokenEnds(judged.content);
    const characters = [...judged.content];
    let best: Prompt | null = null;
    let [fits, overflows] = [0, ends.length]; // tokens of the message
    let kept = overflows - excess;
    for (let tries = 1; overflows - fits > 1; tries++) {
      if (kept <= fits || kept >= overflows || tries > kGuesses) kept = (fits + overflows) >> 1;
      const content = characters.slice(0, ends[kept - 1]).join('');
      const messages = [...conversation.messages.slice(0, -1), { ...judged, content }];
      const ids = await this.#encode({ ...conversation, messages });
      const spare = this.source.contextTokens - ids.length;
      if (spare < 0) overflows = kept;
      else {
        fits = kept;
        if (content.trim() !== '') best = { ids: Int32Array.from(ids), truncated: ends.length - kept };
        if (spare <= kSpare) break;
      }
      kept += spare;
    }
    return best ?? this.#refuseLength('the prompt leaves no room for the judged message');
  }

  #requireTakes({ messages, rules }: Conversation): void {
    const { spec, contextTokens } = this.source;
    if (messages.length > contextTokens) this.#refuseLength(`the conversation has ${messages.length} messages`);
    if (messages[0]?.role === 'system' && !spec.takesSystem) this.#refuseInput('it takes no system message');
    if (spec.layout === 'transcript' && rules === null) this.#refuseInput('it needs rules: { prompt, rules }');
    if (spec.layout !== 'transcript' && rules !== null) this.#refuseInput('it takes no rules');
    const out = spec.alternates
      ? messages.findIndex(({ role }, index) => role !== (index % 2 === 0 ? 'user' : 'assistant'))
      : -1;
    if (out >= 0)
      this.#refuseInput(`user and assistant must take turns, and message ${out} is the ${messages[out]?.role}'s again`);
  }

  /** Some templates take a message's content as a string, some as a list of parts: whichever makes the text appear. */
  #findContentForm(): void {
    const { layout } = this.source.spec;
    const probe: Conversation = {
      messages: [{ role: 'user', content: standIn(0) }],
      rules: layout === 'transcript' ? kStandInRules : null,
    };
    let failure: unknown;
    for (this.#parts of [false, true]) {
      try {
        if (this.#render(probe, (text) => text).includes(standIn(0))) return;
      } catch (error) {
        failure ??= error;
      }
    }
    const why = failure instanceof Error ? failure.message : 'a message of the user does not appear in what it renders';
    throw new SafeRouteError(
      'ERR_SPEC',
      `${this.source.template.path}: the chat template cannot ask about a message: ${why}`,
      { cause: failure },
    );
  }

  #refuseInput(why: string): never {
    throw new SafeRouteError('ERR_INPUT', `the ${this.source.name} guard cannot be asked this: ${why}`);
  }

  #refuseLength(what: string): never {
    throw new SafeRouteError(
      'ERR_CONTEXT_LENGTH',
      `${what}; the ${this.source.name} guard reads at most ${this.source.contextTokens}`,
    );
  }
}

function inParts({ role, content }: TemplateMessage): TemplateMessage {
  return typeof content === 'string' ? { role, content: [{ type: 'text', text: content }] } : { role, content };
}
