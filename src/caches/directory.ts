import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import { errorCode } from "../host/files.ts";
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
    width: 16,
    async get(key) {
      try {
        return await readFile(at(key));
      } catch (error) {
        if (errorCode(error) === "ENOENT") return undefined;
        throw diskFailure(at(key), error);
      }
    },
    async has(key) {
      try {
        await access(at(key));
        return true;
      } catch (error) {
        if (errorCode(error) === "ENOENT") return false;
        throw diskFailure(at(key), error);
      }
    },
    put: (key, body) => place(at(key), body),
    async settle() {
      const sync = await findProgram("sync");
      const { exitCode, stderr } = await run(sync, ["--file-system", directory]);
      if (exitCode !== 0)
        throw new Failure("cache/failed", `${directory} can't be written: ${stderr.trim()}`);
    },
  };
}

async function place(path: string, body: Body): Promise<void> {
  const isBytes = body instanceof Uint8Array;
  const staged = isBytes ? join(dirname(path), spoolPrefix + crypto.randomUUID()) : body.path;
  try {
    if (isBytes) await writeFile(staged, body, { flag: "wx", mode: 0o644 });
    await rename(staged, path);
  } catch (error) {
    if (isBytes) await rm(staged, { force: true });
    throw diskFailure(path, error);
  }
}

async function removeOld(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(spoolPrefix)) continue;
    const { mtimeMs } = await stat(join(directory, name));
    if (mtimeMs < Date.now() - oldestMs) await rm(join(directory, name), { force: true });
  }
}
