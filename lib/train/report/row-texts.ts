/** The texts of the rows that a report names, from the labelled data: only where somebody asks for them, and no more than is read. */

import { createReadStream } from 'node:fs';
import { toConversation } from '../../conversation.js';
import { AbortError, SafeRouteError } from '../../errors.js';
import { type Line, readLines, textOf } from '../../lines.js';

export interface RowTexts {
  /** The file that they come from. */
  path: string;
  byId: ReadonlyMap<string, string>;
}

const kMaxLineBytes = 16 << 20;
const kMaxCharacters = 1000; // of a text that is shown

/** `path`: JSON lines with an `id` each, as they were labelled. Throws ERR_DATA naming file and line where a line cannot be read. */
export async function readTexts(path: string, ids: ReadonlySet<string>, signal: AbortSignal | null): Promise<RowTexts> {
  const byId = new Map<string, string>();
  for await (const line of readLines(createReadStream(path) as AsyncIterable<Buffer>, kMaxLineBytes)) {
    if (signal?.aborted) throw new AbortError(signal.reason);
    if (line.content?.length === 0) continue;
    const row = parseLine(line, path);
    const id = typeof row.id === 'number' ? String(row.id) : row.id;
    if (typeof id === 'string' && ids.has(id)) byId.set(id, shownText(row, line, path));
    if (byId.size === ids.size) break;
  }
  return { path, byId };
}

function parseLine(line: Line, path: string): Record<string, unknown> {
  if (line.content === null) refuse(path, line, `has ${line.bytes} bytes, the limit is ${kMaxLineBytes}`);
  let value: unknown;
  try {
    value = JSON.parse(textOf(line.content, line.number === 1));
  } catch (error) {
    refuse(path, line, `is not JSON (${(error as Error).message})`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, line, 'is not a JSON object');
  return value as Record<string, unknown>;
}

function shownText({ prompt, response, messages }: Record<string, unknown>, line: Line, path: string): string {
  const input = messages === undefined ? { prompt, ...(typeof response === 'string' && { response }) } : messages;
  try {
    const conversation = toConversation(input, kMaxLineBytes);
    const text = conversation.messages.map(({ role, content }) => `${role}: ${content}`).join('\n\n');
    return text.length > kMaxCharacters ? `${text.slice(0, kMaxCharacters)} …` : text;
  } catch (error) {
    return refuse(path, line, (error as Error).message, error);
  }
}

function refuse(path: string, line: Line, problem: string, cause?: unknown): never {
  throw new SafeRouteError('ERR_DATA', `${path}: line ${line.number} ${problem}`, cause === undefined ? {} : { cause });
}
