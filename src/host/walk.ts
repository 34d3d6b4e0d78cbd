import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";

/**
 * The paths of all plain files below a directory, in rising order; undefined if it is none. No link is
 * followed, and what git and npm keep for themselves is passed over.
 *
 * @throws Failure `source/unreadable`
 */
export async function listFiles(directory: string): Promise<string[] | undefined> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
      .filter((path) => !path.split("/").some((name) => [".git", "node_modules"].includes(name)))
      .sort();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return undefined;
    throw new Failure("source/unreadable", `${directory} can't be listed: ${errorCode(error)}`);
  }
}
