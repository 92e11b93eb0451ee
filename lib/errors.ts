/** The errors that callers meet. Every one carries a `code`; misuse is a TypeError or RangeError with a code too. */

export type ErrorCode =
  /** A model, router or tokenizer file is missing, truncated or contradicts itself. */
  | 'ERR_CHECKPOINT'
  /** Well-formed, but not something this build does: an architecture, a dtype, a platform. */
  | 'ERR_UNSUPPORTED'
  /** A guard spec (built in or guard.json) or saferoute.json that does not fit the checkpoint. */
  | 'ERR_SPEC'
  /** The estimate for a load exceeds the memory that is there. */
  | 'ERR_MEMORY'
  /** A prompt is longer than a guard's context. */
  | 'ERR_CONTEXT_LENGTH'
  /** Input larger than `limits.inputBytes`. */
  | 'ERR_INPUT_TOO_LARGE'
  /** Input that is not a conversation a guard can read: empty, lone surrogates, an unknown role, turns out of order. */
  | 'ERR_INPUT'
  /** A weight, logit or hardness is NaN or infinite. */
  | 'ERR_NOT_FINITE'
  /** Labelled data, or a features file, that cannot be learnt from or judged by. */
  | 'ERR_DATA'
  /** The queue is full. */
  | 'ERR_OVERLOADED'
  /** The request's deadline passed before its verdict was there. */
  | 'ERR_DEADLINE'
  /** The caller gave the request up. */
  | 'ERR_ABORTED'
  /** A response that was moderated while it was written was judged unsafe. */
  | 'ERR_UNSAFE'
  /** The engine is closing or closed. */
  | 'ERR_CLOSED'
  /** The inference library failed. */
  | 'ERR_BACKEND'
  /** An argument of the wrong type (TypeError). */
  | 'ERR_INVALID_ARG_TYPE'
  /** An argument outside its range (RangeError). */
  | 'ERR_OUT_OF_RANGE';

const kCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'ERR_CHECKPOINT',
  'ERR_UNSUPPORTED',
  'ERR_SPEC',
  'ERR_MEMORY',
  'ERR_CONTEXT_LENGTH',
  'ERR_INPUT_TOO_LARGE',
  'ERR_INPUT',
  'ERR_NOT_FINITE',
  'ERR_OVERLOADED',
  'ERR_DEADLINE',
  'ERR_ABORTED',
  'ERR_CLOSED',
  'ERR_BACKEND',
]);

export class SafeRouteError extends Error {
  override readonly name: string = 'SafeRouteError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What an aborted request rejects with: `name` is 'AbortError' as everywhere in Node, `cause` is the signal's reason. */
export class AbortError extends SafeRouteError {
  override readonly name = 'AbortError';

  constructor(reason: unknown) {
    super('ERR_ABORTED', 'the request was aborted', { cause: reason });
  }
}

export function throwIfAborted(signal: AbortSignal | null | undefined): void {
  if (signal?.aborted) throw new AbortError(signal.reason);
}

/** An error of native code as the one that callers meet: known codes become a SafeRouteError, anything else stays as it is. */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SafeRouteError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string' || !kCodes.has(code)) return error;
  return new SafeRouteError(code as ErrorCode, error.message, { cause: error });
}

/** "expected … , got …" as a TypeError with a code. */
export function typeError(what: string, expected: string, actual: unknown): TypeError & { code: ErrorCode } {
  const error = new TypeError(`${what} must be ${expected}, got ${describe(actual)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' as const });
}

/** A value outside its range, naming the value and the limit, as a RangeError with a code. */
export function rangeError(what: string, limit: string, actual: unknown): RangeError & { code: ErrorCode } {
  const error = new RangeError(`${what} must be ${limit}, got ${describe(actual)}`);
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' as const });
}

const kShown = 40; // characters of a string

/** A short, one-line rendering of any value for an error message. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'string') return `'${oneLine(value.slice(0, kShown))}${value.length > kShown ? '…' : ''}'`;
  if (typeof value === 'object') return `an instance of ${value.constructor?.name ?? 'Object'}`;
  if (typeof value === 'function') return 'a function';
  return String(value);
}

/** Control characters escaped: a message is one line, and a terminal that shows it takes no orders from it. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
