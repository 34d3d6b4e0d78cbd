import { hostname, uptime } from "node:os";
import { resolve } from "node:path";
import { Failure } from "../failure.ts";

/** The machine's own name in lower case, as nodes are called. */
export function machineName(): string {
  return hostname().toLowerCase();
}

/**
 * The absolute path of `path`, from where this process runs.
 *
 * @throws Failure `usage/invalid` if that directory is gone or can't be entered
 */
export function absolutePath(path: string): string {
  try {
    return resolve(path);
  } catch {
    throw new Failure(
      "usage/invalid",
      `${path} is relative to a directory that is gone, or can't be entered`,
      "give an absolute path",
    );
  }
}

/** When this machine was booted, in milliseconds of the epoch, by the clock that says `now`. */
export function bootedAt(now: Date): number {
  return now.getTime() - uptime() * 1000;
}
