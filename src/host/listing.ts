import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";

/**
 * The names in a folder of a tree that somebody else may have written, in no order; none if it isn't there. With
 * links to folders in it the tree would have no end, or be another's.
 *
 * @throws Failure `source/hostile` if there is one; `source/unreadable`
 */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise to callers: how it reads is nobody's business
export async function listTree(path: string): Promise<string[]> {
  try {
    return readdirSync(path, { withFileTypes: true }).map((entry) => {
      if (!entry.isSymbolicLink() || !isFolder(join(path, entry.name))) return entry.name;
      throw new Failure("source/hostile", `${join(path, entry.name)} is a link to a folder`);
    });
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return [];
    throw new Failure("source/unreadable", `${path} can't be listed: ${errorCode(error)}`);
  }
}

/** Whether a link leads to a folder; one that leads nowhere, or to itself, doesn't. */
function isFolder(link: string): boolean {
  try {
    return statSync(link).isDirectory();
  } catch {
    return false;
  }
}
