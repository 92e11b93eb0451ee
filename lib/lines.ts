/** Splits bytes into lines while holding no more of any one line than the limit: a file without line breaks can't fill the memory. */

import { SafeRouteError } from './errors.js';

export interface Line {
  /** From 1, blank lines counted. */
  number: number;
  /** Null where the line was longer than the limit; its bytes were dropped as they came. */
  content: Buffer | null;
  bytes: number;
}

/** Bytes of one line of messages: room for the largest input with every character escaped. A longer line is dropped as it is read. */
export const kLineBytes = 8 * 1024 * 1024;

const kNewline = 0x0a;
const kCarriageReturn = 0x0d;

export async function* readLines(chunks: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Line> {
  let number = 0;
  let parts: Buffer[] = [];
  let bytes = 0;

  const keep = (part: Buffer) => {
    bytes += part.length;
    if (bytes <= limitBytes) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const content = bytes <= limitBytes ? withoutCarriageReturn(Buffer.concat(parts)) : null;
    const line = { number: ++number, content, bytes };
    parts = [];
    bytes = 0;
    return line;
  };

  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(kNewline); end >= 0; end = chunk.indexOf(kNewline, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (bytes > 0) yield take();
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A line's text, that of a file's `first` without a byte-order mark. Throws ERR_INPUT where it is not UTF-8. */
export function textOf(content: Buffer, first: boolean): string {
  try {
    const text = decoder.decode(content);
    return first && text.startsWith('\ufeff') ? text.slice(1) : text;
  } catch (cause) {
    throw new SafeRouteError('ERR_INPUT', 'line is not valid UTF-8', { cause });
  }
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line.at(-1) === kCarriageReturn ? line.subarray(0, -1) : line;
}
