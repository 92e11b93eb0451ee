/** Makes an Input of one line: a JSON object of the forms that the API takes, or plain text as one user prompt. */

import { describe, SafeRouteError } from '../errors.js';
import { type Line, textOf } from '../lines.js';
import type { Input } from '../verdict.js';

export type LineFormat = 'auto' | 'text' | 'json';

/** What came out of a line. An `id` of the caller's is kept as it was written; otherwise the line's place stands for it. */
export type InputRecord = { id: string | number; input: Input } | { id: string | number; error: SafeRouteError };

/** Null for a blank line. `place` names the line where it carries no id of its own. */
export function toRecord(
  line: Line,
  format: LineFormat,
  limitBytes: number,
  place: string | number,
): InputRecord | null {
  try {
    if (line.content === null) {
      throw new SafeRouteError('ERR_INPUT_TOO_LARGE', `line of ${line.bytes} bytes, the limit is ${limitBytes}`);
    }
    const text = textOf(line.content, line.number === 1);
    if (text.trim() === '') return null;
    return isJson(text, format) ? fromJson(text, place) : { id: place, input: text };
  } catch (error) {
    if (error instanceof SafeRouteError) return { id: place, error };
    throw error;
  }
}

/** By itself only what starts like a JSON object, or a list of them, is taken for JSON; such a line must then parse. */
function isJson(text: string, format: LineFormat): boolean {
  return format === 'auto' ? /^\s*(\{|\[\s*\{)/.test(text) : format === 'json';
}

function fromJson(text: string, place: string | number): InputRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SafeRouteError('ERR_INPUT', `line is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'string' || Array.isArray(value)) return { id: place, input: value };
  if (typeof value !== 'object' || value === null) {
    throw new SafeRouteError(
      'ERR_INPUT',
      `line must be a string, a list of messages or an object, got ${describe(value)}`,
    );
  }
  const { id = place, prompt, response, rules, messages } = value as Record<string, unknown>;
  if (typeof id !== 'string' && typeof id !== 'number') {
    throw new SafeRouteError('ERR_INPUT', `id must be a string or a number, got ${describe(id)}`);
  }
  if ((prompt ?? messages ?? null) === null) {
    return { id, error: new SafeRouteError('ERR_INPUT', 'line has neither a prompt nor messages') };
  }
  // Data files carry other fields too; only those that a guard reads go on, and the API checks what they hold.
  const input = Object.fromEntries(
    Object.entries({ prompt, response, rules, messages }).filter(([, field]) => field !== undefined && field !== null),
  );
  return { id, input: input as unknown as Input };
}
