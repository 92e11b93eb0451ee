/** How the command ends: exit codes, and one line on stderr for what went wrong. */

export const kExit = {
  ok: 0,
  /** Nothing could be done, or the work stopped half way. */
  fatal: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** The work went through, but some lines got an error instead of a verdict. */
  someFailed: 3,
  /** Ended by SIGINT. */
  interrupted: 130,
} as const;

/** A command line that makes no sense. */
export class UsageError extends Error {}

/** Prints `error` and says which exit code it means. The stack only with DEBUG set. */
export function report(error: unknown): number {
  const usage = error instanceof UsageError || codeOf(error)?.startsWith('ERR_PARSE_ARGS');
  const code = usage ? 'usage' : (codeOf(error) ?? 'internal error');
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  // Of data, the message lists what is to be mended, a line each.
  const shown = code === 'ERR_DATA' ? message : message.split('\n')[0];
  const text = process.env.DEBUG ? (stack ?? message) : shown;
  // Node's own messages begin with their code.
  process.stderr.write(`saferoute: ${text?.startsWith(code) ? '' : `${code}: `}${text}\n`);
  return usage ? kExit.usage : kExit.fatal;
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
