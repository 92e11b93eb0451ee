/** `saferoute check`: lines in, one JSON verdict per line out, as they finish. */

import { setMaxListeners } from 'node:events';
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { SafeRoute } from '../index.js';
import { kLineBytes, readLines } from '../lines.js';
import type { Verdict } from '../verdict.js';
import { type CheckArguments, kCheckUsage, parseCheckArguments } from './check-arguments.js';
import { codeOf, kExit } from './exit.js';
import { LineWriter } from './line-writer.js';
import { ProgressLine } from './progress-line.js';
import { type InputRecord, toRecord } from './records.js';
import { Tally } from './tally.js';

/** Lines that are read but not yet written; enough to fill the engine's batches. */
const kLinesInFlight = 64;

/** The caller's id, or the line's place. */
type Id = string | number;
type Answer = ({ id: Id } & Omit<Verdict, 'id'>) | { id: Id; error: { code: string; message: string } };

export async function check(argv: string[]): Promise<number> {
  const args = parseCheckArguments(argv);
  if (args.help) {
    process.stdout.write(kCheckUsage);
    return kExit.ok;
  }
  for (const file of args.files) await access(file, constants.R_OK);

  // Where the verdicts themselves go to the terminal, a line rewritten between them would only tear them apart.
  const progress = new ProgressLine(process.stderr, !process.stdout.isTTY);
  progress.show('loading the guards');
  const saferoute = await load(args).finally(() => progress.clear());
  try {
    return await checkWith(saferoute, args, progress);
  } finally {
    await saferoute.close();
  }
}

async function checkWith(saferoute: SafeRoute, args: CheckArguments, progress: ProgressLine): Promise<number> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // every line in flight listens
  const interrupt = () => stop.abort('SIGINT');
  process.once('SIGINT', interrupt);
  const writer = new LineWriter(process.stdout, () => stop.abort('EPIPE'));
  const tally = new Tally(saferoute.unsafeAt);
  try {
    await checkLines(saferoute, args, stop.signal, async (answer) => {
      if ('error' in answer) tally.addFailure();
      else tally.addVerdict(answer);
      progress.show(tally.progress());
      await writer.write(answer);
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    process.off('SIGINT', interrupt);
    progress.end(tally.summary(saferoute.stats().alarm?.rung));
  }
  if (stop.signal.reason === 'SIGINT') return kExit.interrupted;
  return tally.failed > 0 ? kExit.someFailed : kExit.ok;
}

function load({ pair, options }: CheckArguments): Promise<SafeRoute> {
  return pair === null ? SafeRoute.load(options) : SafeRoute.load(pair, options);
}

/** Keeps up to kLinesInFlight lines going; a line holds its place until its answer is written, so a slow reader slows the reading. */
async function checkLines(
  saferoute: SafeRoute,
  { files, format, ordered }: CheckArguments,
  signal: AbortSignal,
  write: (answer: Answer) => Promise<void>,
): Promise<void> {
  const going = new Set<Promise<void>>();
  let before: Promise<void> = Promise.resolve();
  for await (const record of records(files, format, signal)) {
    const answer = settle(saferoute, record, signal);
    const turn = ordered ? before : Promise.resolve();
    const place = Promise.all([answer, turn])
      .then(([ready]) => write(ready))
      .then(() => {
        going.delete(place);
      });
    // One that fails stays among those going, so the race or the wait below throws its error.
    place.catch(() => {});
    going.add(place);
    before = place;
    if (going.size >= kLinesInFlight) await Promise.race(going);
  }
  await Promise.all(going);
}

/** The line's verdict, or its error; throws only where the whole run must stop. */
async function settle(saferoute: SafeRoute, record: InputRecord, signal: AbortSignal): Promise<Answer> {
  try {
    if ('error' in record) throw record.error;
    return { id: record.id, ...(await saferoute.check(record.input, { signal })) };
  } catch (error) {
    const code = codeOf(error);
    if (signal.aborted || code === undefined) throw error;
    return { id: record.id, error: { code, message: (error as Error).message } };
  }
}

async function* records(files: string[], format: CheckArguments['format'], signal: AbortSignal) {
  const inputs = files.length === 0 ? [null] : files;
  for (const file of inputs) {
    const stream: Readable = file === null ? process.stdin : createReadStream(file);
    for await (const line of readLines(addAbortSignal(signal, stream), kLineBytes)) {
      const place = files.length > 1 ? `${file}:${line.number}` : line.number;
      const record = toRecord(line, format, kLineBytes, place);
      if (record) yield record;
    }
  }
}
