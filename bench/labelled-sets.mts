// Labelled sets of messages on disk: every `.jsonl` below a folder named `eval`, lines `{ prompt, response?, label }`.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import type { Row } from '../dist/index.mjs';

export interface LabelledRow {
  input: Row;
  /** 1: harmful. */
  label: number;
}

/** Each set's rows by its name. Throws where `data` has no set. */
export function readSets(data: string): Map<string, LabelledRow[]> {
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.jsonl') && file.split(sep).includes('eval'))
    .sort();
  if (files.length === 0) throw new Error(`${data} has no .jsonl file below a folder named eval`);
  return new Map(files.map((file) => [basename(file, '.jsonl'), readRows(join(data, file))]));
}

function readRows(file: string): LabelledRow[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const { prompt, response, label } = JSON.parse(line) as { prompt: string; response?: string; label: number };
    return { input: response ? { prompt, response } : { prompt }, label };
  });
}

/** That the other turns of a row leave its judged message no room in the context, so that no truncation helps. */
export function isTooLong(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_CONTEXT_LENGTH';
}
