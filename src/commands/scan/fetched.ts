import { join } from "node:path";
import { Failure } from "../../failure.ts";
import {
  decodeFetchedAdvisories,
  encodeFetchedAdvisories,
  type FetchedAdvisories,
  type FetchedFile,
} from "../../formats/fetched-advisories.ts";
import { readRegularFile, writeFileAtomic } from "../../host/files.ts";
import { cacheFolder } from "../../host/user-folders.ts";
import type { Context } from "../context.ts";

/**
 * Where advisories are that were fetched.
 *
 * @throws Failure `configuration/missing` if the environment names no place
 */
export function advisoriesFolder({ environment }: Context): string {
  const folder = cacheFolder(environment);
  if (folder !== undefined) return join(folder, "sealaunch/advisories");
  throw new Failure(
    "configuration/missing",
    "neither XDG_CACHE_HOME nor HOME names a directory, for the advisories that are fetched",
    "export XDG_CACHE_HOME=DIR, or give files: sealaunch scan --advisories FILE",
  );
}

const maxSize = 1024 * 1024;
/** No name of advisories, so that the folder may be given to --advisories elsewhere. */
const stateFile = (folder: string): string => join(folder, "fetched.state");

/** What was fetched, as it was remembered; nothing if it never was, or what was remembered can't be read. */
export async function readFetched(folder: string): Promise<readonly FetchedFile[]> {
  const file = stateFile(folder);
  try {
    const bytes = await readRegularFile(file, maxSize);
    return bytes === undefined ? [] : decodeFetchedAdvisories(bytes, file).files;
  } catch (error) {
    // Fetching anew mends it.
    if (error instanceof Failure && error.code === "advisories/invalid") return [];
    throw error;
  }
}

/** After it, that is what is remembered. @throws Failure `write/refused` */
export function rememberFetched(folder: string, files: FetchedAdvisories["files"]): Promise<void> {
  return writeFileAtomic(stateFile(folder), encodeFetchedAdvisories({ version: 1, files }), 0o644);
}

/**
 * The files that `scan --update` has fetched, all of them.
 *
 * @throws Failure `advisories/absent` if some never came: what they say would be missing without a word
 */
export async function requireFetched(context: Context): Promise<string[]> {
  const folder = advisoriesFolder(context);
  const files = await readFetched(folder);
  const missing = files.filter(({ have }) => have === null).map(({ name }) => name);
  if (files.length > 0 && missing.length === 0) return files.map(({ name }) => join(folder, name));
  const what =
    files.length === 0
      ? `there is nothing to look for: no --advisories, --package or --service, and no advisories in ${folder}`
      : `of ${String(files.length)} files of advisories in ${folder} ${String(missing.length)} never came: ${few(missing)}`;
  throw new Failure("advisories/absent", what);
}

function few(names: readonly string[]): string {
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and others`;
}
