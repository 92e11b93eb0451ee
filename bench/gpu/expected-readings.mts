// What the CPU reads of labelled messages with the embedded pair, and their token ids, for a device that has no tokenizer:
// `node --import tsx bench/gpu/expected-readings.mts DATA OUT`. DATA as for bench/precision.mts, of whose rows every fifth is taken;
// rows too long for a guard are left out. OUT is a file of safetensors, see test/native/cuda/embedded_pair.h.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PairedGuard, type Row, SafeRoute } from '../../dist/index.mjs';
import { isTooLong, readSets } from '../labelled-sets.mjs';

const kEvery = 5;

interface Prompt {
  row: Row;
  ids: { small: Int32Array; large: Int32Array };
}

interface Scores {
  small: number[];
  large: number[];
  hardness: number[];
}

async function encodeAll(pair: SafeRoute, rows: readonly Row[]): Promise<Prompt[]> {
  const prompts: Prompt[] = [];
  for (const row of rows) {
    try {
      const ids = { small: await pair.small.encode(row), large: await largeOf(pair).encode(row) };
      prompts.push({ row, ids });
    } catch (error) {
      if (!isTooLong(error)) throw error;
    }
  }
  return prompts;
}

async function scoreAll(precision: 'f32' | 'int8', prompts: Prompt[]): Promise<Scores> {
  await using pair = await SafeRoute.load({ precision, escalation: { kind: 'always' } });
  const scores: Scores = { small: [], large: [], hardness: [] };
  for await (const verdict of pair.checkAll(prompts.map(({ row }) => row))) {
    scores.small.push(verdict.small.score);
    scores.large.push(verdict.large?.score ?? Number.NaN);
    scores.hardness.push(verdict.hardness ?? Number.NaN);
  }
  return scores;
}

function largeOf({ large }: SafeRoute): PairedGuard {
  if (large === null) throw new TypeError('the pair has no large guard');
  return large;
}

/** The ids of the two verdict tokens, safe first. */
function verdictIds({ dir }: PairedGuard): number[] {
  const read = (file: string) => JSON.parse(readFileSync(join(dir, file), 'utf8'));
  const { verdict } = read('guard.json') as { verdict: { safe: string; unsafe: string } };
  const { model } = read('tokenizer.json') as { model: { vocab: Record<string, number> } };
  return [verdict.safe, verdict.unsafe].map((token) => {
    const id = model.vocab[token];
    if (id === undefined) throw new TypeError(`${dir} has no token ${token}`);
    return id;
  });
}

function floats(values: readonly number[]) {
  return { dtype: 'F32', values: Float32Array.from(values) };
}

function integers(values: readonly number[]) {
  return { dtype: 'I32', values: Int32Array.from(values) };
}

function writeTensors(path: string, tensors: Record<string, { dtype: string; values: Float32Array | Int32Array }>) {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { dtype, values }]) => {
    const begin = end;
    end += values.byteLength;
    return [name, { dtype, shape: [values.length], data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const parts = Object.values(tensors).map(({ values }) => Buffer.from(values.buffer));
  writeFileSync(path, Buffer.concat([length, header, ...parts]));
}

const [data, out] = process.argv.slice(2);
if (data === undefined || out === undefined) throw new TypeError('usage: expected-readings.mts DATA OUT');
const rows = [...readSets(data).values()].flatMap((set) => set.map(({ input }) => input));
await using pair = await SafeRoute.load();
const prompts = await encodeAll(
  pair,
  rows.filter((_, index) => index % kEvery === 0),
);
const { escalation } = pair;
if (escalation.kind !== 'router') throw new TypeError(`the pair escalates by ${escalation.kind}, not by its router`);
const [f32, int8] = [await scoreAll('f32', prompts), await scoreAll('int8', prompts)];
const idsOf = (guard: 'small' | 'large') => ({
  [`${guard}_ids`]: integers(prompts.flatMap(({ ids }) => Array.from(ids[guard]))),
  [`${guard}_lengths`]: integers(prompts.map(({ ids }) => ids[guard].length)),
  [`${guard}_verdict_ids`]: integers(verdictIds(guard === 'small' ? pair.small : largeOf(pair))),
  [`${guard}_f32`]: floats(f32[guard]),
  [`${guard}_int8`]: floats(int8[guard]),
});
writeTensors(out, {
  threshold: floats([escalation.threshold]),
  hardness_f32: floats(f32.hardness),
  hardness_int8: floats(int8.hardness),
  ...idsOf('small'),
  ...idsOf('large'),
});
process.stderr.write(`${out}: ${prompts.length} of ${rows.length} rows\n`);
