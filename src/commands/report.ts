import { isAbsolute, relative } from "node:path";
import { clockFailure } from "../trust/freshness.ts";
import type { Context } from "./context.ts";

/** A path as a person in the command's directory would write it. */
export function pathFor(context: Context, path: string): string {
  const near = relative(context.directory, path);
  return near === "" || near.startsWith("..") || isAbsolute(near) ? path : near;
}

/** Prints what was written, a line each. */
export function reportWritten(context: Context, paths: readonly string[]): void {
  for (const path of paths) context.print(`wrote ${pathFor(context, path)}`);
}

/** Prints the command to run next. */
export function reportNext(context: Context, command: string): void {
  context.print(`next: ${command}`);
}

/**
 * Warns where something was signed in what is the future here, before the next is signed by this
 * clock. It isn't refused: the wrong clock may have been the other, and signing anew mends that.
 *
 * @param said - such as `roster 3 was issued`
 */
export function warnOfClock(context: Context, said: string, time: string): void {
  const failure = clockFailure(said, time, context.now);
  if (failure !== undefined) context.warn(`${failure.message}: ${failure.hint}`);
}
