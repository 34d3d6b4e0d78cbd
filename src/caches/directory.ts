import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import { sinceMs } from "../host/elapsed.ts";
import { errorCode } from "../host/error-code.ts";
import { findProgram, run } from "../host/process.ts";
import { diskFailure, type Body, type Cache } from "./cache.ts";

/** What a file is called until it is whole; no reader asks for such names. */
export const spoolPrefix = ".sealaunch-";

/** Older ones are of somebody who was killed. */
const oldestMs = 24 * 60 * 60 * 1000;

/**
 * The cache in a directory, as `file://` means one. The directory is made if it isn't there.
 *
 * @throws Failure `cache/forbidden`, `cache/full`, `cache/failed`
 */
export async function openDirectoryCache(name: string, directory: string): Promise<Cache> {
  const spools = join(directory, spoolsName);
  try {
    await mkdir(spools, { recursive: true });
    await removeOld(spools);
    await removeOld(directory);
  } catch (error) {
    throw diskFailure(directory, error);
  }
  return directoryCache(name, directory);
}

const spoolsName = "nar";

/** The cache in a directory as it is; nothing is made or removed until something is put there. */
export function directoryCache(name: string, directory: string): Cache {
  const at = (key: string): string => join(directory, key);
  return {
    name,
    spools: at(spoolsName),
    width: 1,
    // Small files in their thousands: a way through the thread pool and back takes each longer than the call.
    get: (key) => Promise.try(() => (isThere(at(key)) ? read(at(key)) : undefined)),
    has: (key) => Promise.try(() => isThere(at(key))),
    put: (key, body) =>
      Promise.try(() => {
        place(at(key), body);
      }),
    async settle() {
      const sync = await findProgram("sync");
      const { exitCode, stderr } = await run(sync, ["--file-system", directory]);
      if (exitCode !== 0)
        throw new Failure("cache/failed", `${directory} can't be written: ${stderr.trim()}`);
    },
  };
}

/** Asked before anything is read, since an error takes as long as ten answers. */
function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw diskFailure(path, error);
  }
}

function read(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw diskFailure(path, error);
  }
}

function place(path: string, body: Body): void {
  const isBytes = body instanceof Uint8Array;
  const staged = isBytes ? join(dirname(path), spoolPrefix + crypto.randomUUID()) : body.path;
  try {
    if (isBytes) writeFileSync(staged, body, { flag: "wx", mode: 0o644 });
    renameSync(staged, path);
  } catch (error) {
    if (isBytes) rmSync(staged, { force: true });
    throw diskFailure(path, error);
  }
}

async function removeOld(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(spoolPrefix)) continue;
    const { mtimeMs } = await stat(join(directory, name));
    if (sinceMs(mtimeMs) > oldestMs) await rm(join(directory, name), { force: true });
  }
}
