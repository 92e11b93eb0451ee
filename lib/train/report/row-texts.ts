/** The texts of the rows that a report names, from the labelled data: only where somebody asks for them, and no more than is read. */

import { createReadStream } from 'node:fs';
import { toConversation } from '../../conversation.js';
import { SafeRouteError, throwIfAborted } from '../../errors.js';
import { kLineBytes, readLines } from '../../lines.js';
import { parseLine } from '../labelled-row.js';

export interface RowTexts {
  /** The files that they come from. */
  paths: readonly string[];
  byId: ReadonlyMap<string, string>;
}

/** Of a text that is shown. */
const kMaxCharacters = 1000;

/**
 * `paths`: labelled data. A row without an id of its own goes by `<path>:<line>`, as when it was labelled. Throws ERR_DATA naming file and
 * line where a line is no labelled row; a row that no guard can read is in no evaluation, and passed over.
 */
export async function readTexts(
  paths: readonly string[],
  ids: ReadonlySet<string>,
  signal: AbortSignal | null,
): Promise<RowTexts> {
  const byId = new Map<string, string>();
  for (const path of paths) {
    if (byId.size === ids.size) break;
    await addTexts(path, ids, signal, byId);
  }
  return { paths, byId };
}

async function addTexts(
  path: string,
  ids: ReadonlySet<string>,
  signal: AbortSignal | null,
  byId: Map<string, string>,
): Promise<void> {
  for await (const line of readLines(createReadStream(path) as AsyncIterable<Buffer>, kLineBytes)) {
    throwIfAborted(signal);
    const place = `${path}:${line.number}`;
    const parsed = parseLine(line, place, kLineBytes);
    if (parsed?.kind === 'wrong') throw new SafeRouteError('ERR_DATA', `${place}: ${parsed.problem}`);
    if (parsed?.kind !== 'row' || !ids.has(parsed.id)) continue;
    byId.set(parsed.id, shownText(parsed.input));
    if (byId.size === ids.size) return;
  }
}

function shownText(input: unknown): string {
  const { messages } = toConversation(input, kLineBytes);
  const text = messages.map(({ role, content }) => `${role}: ${content}`).join('\n\n');
  return text.length > kMaxCharacters ? `${text.slice(0, kMaxCharacters)} …` : text;
}
