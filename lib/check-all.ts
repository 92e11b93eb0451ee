/** Many rows through one pair: pulls no more from the source than is in flight, and lets no more pile up than is taken. */

import { followAbort } from './abort-watch.js';
import { AbortError, typeError } from './errors.js';
import { type AnyIterator, iteratorOf } from './iterator-of.js';
import type { Row } from './options.js';
import type { CheckAllSettings, RequestSettings } from './request-options.js';
import type { SettledRow, Verdict } from './verdict.js';

type Rows = Iterable<Row> | AsyncIterable<Row>;
type Check = (input: unknown, settings: RequestSettings) => Promise<Verdict>;

/** `parse` runs at the first step, so that a wrong option rejects and never throws at the caller. */
export async function* checkAll(
  rows: Rows,
  parse: () => CheckAllSettings,
  check: Check,
): AsyncGenerator<Verdict | SettledRow, void, void> {
  const settings = parse();
  const run = new RowRun(iteratorOf(rows, 'rows', 'an iterable or async iterable of inputs'), settings, check);
  try {
    for (let row = await run.next(); row !== null; row = await run.next()) {
      if (settings.settled) yield row;
      else if (row.status === 'fulfilled') yield row.verdict;
      else throw row.error;
    }
  } finally {
    await run.stop();
  }
}

/** The rows in flight and those that wait to be taken: together never more than `concurrency`. */
class RowRun {
  readonly #source: AnyIterator;
  readonly #settings: CheckAllSettings;
  readonly #check: Check;
  readonly #giveUp = new AbortController();
  readonly #ready = new Map<number, SettledRow>();
  readonly #unfollow: () => void;
  #started = 0;
  #taken = 0;
  #reading = false;
  #end: { error?: unknown } | null = null;
  #wake = () => {};

  constructor(source: AnyIterator, settings: CheckAllSettings, check: Check) {
    this.#source = source;
    this.#settings = settings;
    this.#check = check;
    this.#giveUp.signal.addEventListener('abort', () => this.#wake());
    this.#unfollow = followAbort(settings.signal, this.#giveUp);
  }

  /** The next row that has settled, or null at the end. Throws what the source threw, once all rows before it are taken. */
  async next(): Promise<SettledRow | null> {
    for (;;) {
      if (this.#giveUp.signal.aborted) throw new AbortError(this.#giveUp.signal.reason);
      const row = this.#take();
      this.#pull();
      if (row !== null) return row;
      if (this.#end !== null && this.#taken === this.#started) {
        if ('error' in this.#end) throw this.#end.error;
        return null;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Gives up what is in flight and tells the source, as leaving a `for await` loop does. */
  async stop(): Promise<void> {
    this.#unfollow();
    this.#giveUp.abort(new Error('the caller stopped listening'));
    if (this.#end !== null) return;
    const told = Promise.resolve(this.#source.return?.());
    // A source that is asleep in next() answers only when that wakes up.
    if (this.#reading) told.catch(() => {});
    else await told;
  }

  #take(): SettledRow | null {
    const index = this.#settings.ordered ? this.#taken : this.#ready.keys().next().value;
    const row = index === undefined ? undefined : this.#ready.get(index);
    if (index === undefined || row === undefined) return null;
    this.#ready.delete(index);
    this.#taken++;
    return row;
  }

  /** Starts reading rows, one at a time, while there is room; goes on by itself. */
  #pull(): void {
    const room = this.#started - this.#taken < this.#settings.concurrency;
    if (this.#reading || !room || this.#end !== null || this.#giveUp.signal.aborted) return;
    this.#reading = true;
    this.#read().then(
      (row) => {
        this.#reading = false;
        if (row.done) this.#end ??= {};
        else void this.#start(row.value);
        this.#pull();
        this.#wake();
      },
      (error: unknown) => {
        this.#reading = false;
        this.#end = { error };
        this.#wake();
      },
    );
  }

  /** As `for await`: a source that is not async may hold promises. */
  async #read(): Promise<{ done: boolean; value: unknown }> {
    const { done, value } = await this.#source.next();
    return { done: done === true, value: await value };
  }

  async #start(row: unknown): Promise<void> {
    const index = this.#started++;
    let named: { index: number; id?: string } = { index };
    try {
      const { id, input } = splitRow(row);
      if (id !== undefined && typeof id !== 'string') throw typeError(`rows[${index}].id`, 'a string', id);
      if (id !== undefined) named = { index, id };
      const verdict = await this.#check(input, {
        signal: this.#giveUp.signal,
        bulk: this.#settings.bulk,
        deadlineMs: this.#settings.deadlineMs,
        id: id ?? null,
      });
      this.#ready.set(index, { status: 'fulfilled', ...named, verdict });
    } catch (error) {
      this.#ready.set(index, { status: 'rejected', ...named, error });
    }
    this.#wake();
  }
}

/** Only the object forms carry an id; it is not part of the input. */
function splitRow(row: unknown): { id: unknown; input: unknown } {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return { id: undefined, input: row };
  const { id, ...input } = row as Record<string, unknown>;
  return { id, input };
}
