import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";

/** What is at `path` itself, whose it is and who may write to it; undefined if nothing is there. @throws Failure `source/unreadable` */
export async function factsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return undefined;
    throw new Failure("source/unreadable", `${path} can't be looked at: ${errorCode(error)}`);
  }
}

/** Whose a socket is, and who may connect; undefined if there is none. */
export async function socketFacts(
  path: string,
): Promise<{ readonly uid: number; readonly mode: number } | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isSocket() !== true) return undefined;
  return { uid: facts.uid, mode: facts.mode & 0o7777 };
}

/** Whether root runs this, and what is there is another user's: he could put something else in its place meanwhile. */
export function isOthersToRoot({ uid }: Pick<Stats, "uid">): boolean {
  return uid !== 0 && process.geteuid?.() === 0;
}
