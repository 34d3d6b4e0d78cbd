import type { Each } from "../cluster/each.ts";

/** How far something is. */
export interface Advance extends Disposable {
  /** @param number - of the thing that is begun now, from 1 */
  at(number: number): void;
}

/** What a command is given of the world by whoever runs it; the command line makes one. */
export interface Context {
  /** The directory that relative paths are taken from. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: Date;
  /** The file of --config, if it was given. */
  readonly configuration: string | undefined;
  /** Whether output is for programs: then only `result` prints. */
  readonly json: boolean;
  /** Whether somebody at a terminal sees standard error. */
  readonly isWatched: boolean;
  /** Prints a line for people on standard output; nothing with --json. */
  print(line: string): void;
  /** Prints a table for people on standard output; nothing with --json. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>;
  /** Prints a value for programs on standard output, as JSON; nothing without --json. */
  result(value: unknown): void;
  /** As `result`, no faster than it is read, so that it is never held as text; fields without a value are null. */
  largeResult(value: unknown): Promise<void>;
  /** Writes bytes to standard output as they are. */
  output(bytes: Uint8Array): Promise<void>;
  /** For what may take long. */
  readonly each: Each;
  /** As `each`, for what isn't one thing after the other: whoever makes it says how far it is. */
  progress(what: string, count: number): Advance;
  /** Prints `warning: …` on standard error. */
  warn(line: string): void;
  /**
   * Returns if the person at the terminal says yes, or said --yes.
   *
   * @throws Failure `usage/invalid` if there is nobody to ask; `usage/declined` if the answer is no
   */
  confirm(question: string): Promise<void>;
  /** A secret typed without echo; the caller wipes it. @throws Failure `usage/invalid` without a terminal */
  secret(question: string): Promise<Uint8Array>;
  /** All of standard input, but no more than a byte over `most`; a little over a credential's limit by default. */
  input(most?: number): Promise<Uint8Array>;
  /** The listening socket that systemd has handed over (sd_listen_fds(3)); undefined if it hasn't. */
  handedSocket(): number | undefined;
  /** Returns when this process is told to end (SIGTERM, SIGINT). */
  told(): Promise<void>;
}

/** The context of a command that is a part of another: what it answers to programs is no answer of the whole. */
export function asPart(context: Context): Context {
  return { ...context, result: () => undefined, largeResult: () => Promise.resolve() };
}
