import { rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../failure.ts";
import type { FetchedFile } from "../../formats/fetched-advisories.ts";
import type { Downloading, Validators } from "../../host/downloading.ts";
import { sinceMs } from "../../host/elapsed.ts";
import {
  listDirectory,
  refused,
  removeFile,
  stagingPath,
  syncDirectory,
} from "../../host/files.ts";
import { piecesOf } from "../../host/pieces.ts";
import { AdvisoryIndex } from "../../scan/advisories/advisory-index.ts";
import type { Feed } from "../../scan/advisories/feeds.ts";
import { readAdvisories } from "../../scan/advisories/reading.ts";

/**
 * After it, the file of a feed in `folder` is what is published now, whole, and what it is was given; or nothing
 * has changed, or nothing is published yet.
 *
 * @param before - what is remembered of the file
 * @throws Failure `advisories/unreachable`, `advisories/invalid` if it is no advisories or not whole;
 *   `write/refused`. What was there is there then
 */
export async function fetchFeed(
  downloading: Downloading,
  folder: string,
  { name, url, mayBeAbsent }: Feed,
  before: FetchedFile | undefined,
  now: Date,
): Promise<FetchedFile | "unchanged" | "absent"> {
  const known = await stillThere(folder, before, url);
  const path = join(folder, name);
  const staged = stagingPath(path);
  const answer = await downloading.download(url, staged, known);
  if (answer === "unchanged") return answer;
  if (answer === "absent") {
    if (mayBeAbsent && (before?.have ?? null) === null) return answer;
    throw new Failure("advisories/unreachable", `${url} can't be fetched: it answers with 404`);
  }
  try {
    // None of it is kept: it is only seen to be advisories, whole.
    await readAdvisories(new AdvisoryIndex(now, []), url, piecesOf(staged));
    await rename(staged, path).catch((error: unknown) => {
      throw refused(path, error);
    });
    await syncDirectory(folder);
  } finally {
    await removeFile(staged);
  }
  const { size, etag = null, lastModified = null } = answer;
  return { name, url, have: { size, etag, lastModified } };
}

/** What is remembered of a file, if it is still there and of that address; else it is fetched whole. */
async function stillThere(
  folder: string,
  file: FetchedFile | undefined,
  url: string,
): Promise<Validators | undefined> {
  if (file?.url !== url || file.have === null) return undefined;
  const { size, etag, lastModified } = file.have;
  const facts = await stat(join(folder, file.name)).catch(() => undefined);
  if (facts?.size !== size) return undefined;
  return { etag: etag ?? undefined, lastModified: lastModified ?? undefined };
}

const dayMs = 86_400_000;

/** After it, nothing is in `folder` of downloads that were killed over a day ago. @throws Failure `write/refused` */
export async function removeLeft(folder: string): Promise<void> {
  for (const name of await listDirectory(folder)) {
    const path = join(folder, name);
    if (!name.startsWith(".")) continue;
    const facts = await stat(path).catch(() => undefined);
    if (facts !== undefined && sinceMs(facts.mtimeMs) > dayMs) await removeFile(path);
  }
}
