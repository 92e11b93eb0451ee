/** One line of labelled data: what it must hold, and what of it goes on. Messages name no text of the row. */

import { kRoles, toConversation } from '../conversation.js';
import { describe, SafeRouteError } from '../errors.js';
import { kLineBytes, type Line, textOf } from '../lines.js';
import type { Input } from '../verdict.js';

/** What a line says of itself, beside what the guards read. */
export interface LineLabel {
  id: string;
  unsafe: boolean;
  /** '' where the line names none. */
  source: string;
  /** null: the row is a variant of no other. */
  group: string | null;
}

/**
 * What became of a line. `refused`: no guard can read it, which spoils only this row; a line too long to be held has no label either.
 * `wrong`: as data of this kind it makes no sense, which spoils the file.
 */
export type ParsedLine =
  | ({ kind: 'row'; input: Input } & LineLabel)
  | { kind: 'refused'; id: string | null; error: SafeRouteError }
  | { kind: 'wrong'; problem: string };

const kNameLimit = 1024; // characters of an id or a group
const kSourceLimit = 256; // characters: all distinct sources go into a file's header
const kLabels: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [0, false],
  [1, true],
  ['safe', false],
  ['unsafe', true],
]);

class WrongLine extends Error {}

/** Null for a blank line. `place` is the row's id where it brings none; `inputBytes` the limit of an input's texts. */
export function parseLine(line: Line, place: string, inputBytes: number): ParsedLine | null {
  if (line.content === null) {
    const message = `the line has ${line.bytes} bytes; the limit is ${kLineBytes}`;
    return { kind: 'refused', id: null, error: new SafeRouteError('ERR_INPUT_TOO_LARGE', message) };
  }
  try {
    const text = textOf(line.content, line.number === 1);
    return text.trim() === '' ? null : parseRow(parseObject(text), place, inputBytes);
  } catch (error) {
    if (error instanceof WrongLine || error instanceof SafeRouteError) return { kind: 'wrong', problem: error.message };
    throw error;
  }
}

function parseRow(fields: Record<string, unknown>, place: string, inputBytes: number): ParsedLine {
  const label = {
    id: nameOf('id', fields.id) ?? place,
    unsafe: labelOf(fields.label),
    source: sourceOf(fields.source),
    group: nameOf('group', fields.group),
  };
  const input = inputOf(fields);
  try {
    toConversation(input, inputBytes);
  } catch (error) {
    if (error instanceof SafeRouteError) return { kind: 'refused', id: label.id, error };
    throw new WrongLine((error as Error).message.replace(/^input\./, ''));
  }
  return { kind: 'row', input, ...label };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WrongLine('line is not JSON'); // the parser's own message quotes the text
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new WrongLine(`line must be a JSON object, got ${Array.isArray(value) ? 'a list' : typeOf(value)}`);
}

function labelOf(label: unknown): boolean {
  if (label === undefined || label === null) throw new WrongLine('label is missing');
  const unsafe = kLabels.get(label);
  if (unsafe === undefined) throw new WrongLine(`label must be 0, 1, 'safe' or 'unsafe', got ${describe(label)}`);
  return unsafe;
}

/** A string, or a number as it is written; null where there is none. */
function nameOf(key: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const name = typeof value === 'number' ? String(value) : value;
  if (typeof name !== 'string') throw new WrongLine(`${key} must be a string or a number, got ${describe(value)}`);
  return requireName(key, name, kNameLimit);
}

function sourceOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new WrongLine(`source must be a string, got ${describe(value)}`);
  return requireName('source', value, kSourceLimit);
}

function requireName(key: string, name: string, limit: number): string {
  if (name === '') throw new WrongLine(`${key} is empty`);
  if (name.length > limit) throw new WrongLine(`${key} has ${name.length} characters; the limit is ${limit}`);
  if (!name.isWellFormed()) throw new WrongLine(`${key} has a lone surrogate`);
  return name;
}

/** The members that a guard reads. Data files carry others too. */
function inputOf({ prompt, response, messages, rules }: Record<string, unknown>): Input {
  const given = Object.entries({ prompt, response, messages, rules }).filter(([, value]) => (value ?? null) !== null);
  const names = given.map(([name]) => name);
  if (names.includes('prompt') === names.includes('messages'))
    throw new WrongLine(
      `row must have either prompt or messages, has ${names.includes('prompt') ? 'both' : 'neither'}`,
    );
  if (names.includes('messages') && names.includes('response'))
    throw new WrongLine('row has messages and response; the response belongs into the messages');
  requireRoles(messages);
  return Object.fromEntries(given) as unknown as Input;
}

/** A text in the place of a role is told here, and not in the list of rows that failed, which shows no text. */
function requireRoles(messages: unknown): void {
  if (!Array.isArray(messages)) return;
  for (const [index, message] of messages.entries()) {
    const role: unknown = message?.role;
    if (typeof role === 'string' && !kRoles.includes(role))
      throw new WrongLine(`messages[${index}].role must be ${kRoles.join(', ')}, got ${describe(role)}`);
  }
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : `a ${typeof value}`;
}
