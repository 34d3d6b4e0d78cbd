import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { link, mkdir, open, rename, rm, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";
import { makeMissing } from "./missing-folders.ts";

// Files that somebody else may have put there are opened so that nothing else can be meant by
// them, read once, and judged by what was read. Files of ours appear whole and durable, or not.

const directoryMode = 0o755;

const isAbsent = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes(errorCode(error));

// What only looks is synchronous inside: of a small file in the page cache every call through Node's thread
// pool takes ten times as long as the kernel does, and a start reads some twenty files, one because of the
// other (docs/benchmarks.md). What is no plain file is never waited for.

/** Opens without following a link at the end, and without waiting for a FIFO's other side. */
function openForReading(path: string): number | undefined {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return openSync(path, flags);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    if (errorCode(error) === "ELOOP" || errorCode(error) === "ENXIO") {
      throw new Failure("source/hostile", `${path} is no plain file`);
    }
    throw new Failure("source/unreadable", `${path} can't be read: ${errorCode(error)}`);
  }
}

/**
 * The bytes of a plain file, or undefined if nothing is there.
 *
 * @param judge - is shown whose the file is that was opened, before anything is read, and may refuse it
 * @throws Failure `source/hostile` if it is a link, a FIFO, a device or has more than `maxBytes`;
 *   `source/unreadable`
 */
// eslint-disable-next-line @typescript-eslint/require-await -- a promise to callers: how it reads is nobody's business
export async function readRegularFile(
  path: string,
  maxBytes: number,
  judge?: (facts: Stats) => void,
): Promise<Uint8Array | undefined> {
  const file = openForReading(path);
  if (file === undefined) return undefined;
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new Failure("source/hostile", `${path} is no plain file`);
    judge?.(facts);
    return readAtMost(file, facts.size, maxBytes, path);
  } finally {
    closeSync(file);
  }
}

/** Reads to the end, whatever the size said: it may change between the look and the read. */
function readAtMost(file: number, expected: number, maxBytes: number, path: string): Uint8Array {
  const room = new Uint8Array(Math.min(expected, maxBytes) + 1);
  let size = 0;
  while (size < room.length) {
    const bytesRead = readSync(file, room, size, room.length - size, size);
    if (bytesRead === 0) {
      const bytes = room.slice(0, size);
      room.fill(0);
      return bytes;
    }
    size += bytesRead;
  }
  room.fill(0);
  throw new Failure("source/hostile", `${path} has more than ${String(maxBytes)} bytes`);
}

/** An identity's text has 2 KiB, an encrypted credential of it 4 or so. */
const maxIdentitySize = 16 * 1024;

/**
 * The bytes of an identity's file, which nobody but its owner, who runs this, or root may read.
 * The caller wipes them.
 *
 * @throws Failure `identity/missing`, `identity/too-open`, `identity/wrong-owner`; `source/hostile`
 */
// eslint-disable-next-line @typescript-eslint/require-await -- as above
export async function readIdentityFile(path: string): Promise<Uint8Array> {
  const file = openForReading(path);
  if (file === undefined) throw new Failure("identity/missing", `there is no identity at ${path}`);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new Failure("source/hostile", `${path} is no plain file`);
    const { mode, uid, size } = facts;
    const self = process.geteuid?.() ?? 0;
    if (uid !== 0 && uid !== self) {
      throw new Failure(
        "identity/wrong-owner",
        `${path} belongs to user ${String(uid)}, not to root or user ${String(self)}`,
      );
    }
    if ((mode & 0o077) !== 0) {
      throw new Failure(
        "identity/too-open",
        `${path} has mode ${(mode & 0o7777).toString(8).padStart(4, "0")}, so that others may read or write it`,
      );
    }
    return readAtMost(file, size, maxIdentitySize, path);
  } finally {
    closeSync(file);
  }
}

/** The names in a directory, in no order; none if it isn't there. @throws Failure `source/unreadable` */
// eslint-disable-next-line @typescript-eslint/require-await -- as above
export async function listDirectory(path: string): Promise<string[]> {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw new Failure("source/unreadable", `${path} can't be listed: ${errorCode(error)}`);
  }
}

/** After it, `path` is a directory, durably; one that is new has that mode. @throws Failure `write/refused` */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await makeFolder(path, mode);
  } catch (error) {
    throw refused(path, error);
  }
}

/** Why `path` can't be written. */
export function refused(path: string, error: unknown): Failure {
  return new Failure("write/refused", `${path} can't be written: ${errorCode(error)}`);
}

/** After it, what a directory holds is on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** After it, the folder `path` is there, with those above it that weren't, and all of them are on the disk. */
export async function makeFolder(path: string, mode = directoryMode): Promise<void> {
  for (const made of makeMissing(path, mode)) await syncDirectory(dirname(made));
}

/** A new file with that content and exactly that mode, on the disk. */
async function writeNewFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(bytes);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A name beside `path` that nothing has and that no reader looks at. */
export function stagingPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
}

/** Runs `place` with the path of a finished file that it moves or links into place. */
async function withStagedFile<T>(
  path: string,
  bytes: Uint8Array,
  mode: number,
  place: (staged: string) => Promise<T>,
): Promise<T> {
  const staged = stagingPath(path);
  try {
    await makeFolder(resolve(dirname(path)));
    await writeNewFile(staged, bytes, mode);
    const result = await place(staged);
    await syncDirectory(dirname(path));
    return result;
  } catch (error) {
    throw error instanceof Failure ? error : refused(path, error);
  } finally {
    await unlink(staged).catch(() => undefined);
  }
}

/** After it, `path` holds `bytes`, whole and durable, whatever was there. @throws Failure `write/refused` */
export function writeFileAtomic(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  return withStagedFile(path, bytes, mode, (staged) => rename(staged, path));
}

/**
 * After it, `path` holds `bytes`, whole, whatever was there. Nothing is made durable: for a memory file
 * system, and in a directory that is there. @throws Failure `write/refused`
 */
export function replaceVolatileFile(path: string, bytes: Uint8Array, mode: number): void {
  const staged = stagingPath(path);
  try {
    writeFileSync(staged, bytes, { flag: "wx", mode });
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw refused(path, error);
  }
}

/**
 * Whether this call made `path`, with all its bytes, durably; false if it was there before, which
 * then stays as it was. @throws Failure `write/refused`
 */
export function createFileExclusive(
  path: string,
  bytes: Uint8Array,
  mode: number,
): Promise<boolean> {
  return withStagedFile(path, bytes, mode, async (staged) => {
    try {
      await link(staged, path);
      return true;
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      throw error;
    }
  });
}

/** After it, nothing is at `path`, which was a file or already gone. @throws Failure `write/refused` */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isAbsent(error)) throw refused(path, error);
  }
}

/** After it, nothing is at `path`: a file, a folder with all in it, a link itself. @throws Failure `write/refused` */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    throw refused(path, error);
  }
}

const publicMode = 0o644;

/**
 * Whether this call made the directory `path`, with all of `files` in it, whole and durable at
 * once; false if it was there before, which then stays as it was.
 *
 * @param files - public contents by path within the directory, at most one folder deep
 * @throws Failure `write/refused`
 */
export async function publishDirectory(
  path: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<boolean> {
  const staged = stagingPath(path);
  try {
    await makeFolder(resolve(dirname(path)));
    await mkdir(staged, { mode: directoryMode });
    const folders = new Set([...files.keys()].map((name) => join(staged, dirname(name))));
    for (const folder of folders) await mkdir(folder, { recursive: true, mode: directoryMode });
    for (const [name, bytes] of files) await writeNewFile(join(staged, name), bytes, publicMode);
    for (const folder of folders) await syncDirectory(folder);
    // rename(2) replaces an empty directory only: a folder with anything in it stays.
    await rename(staged, path);
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (["EEXIST", "ENOTEMPTY"].includes(errorCode(error))) return false;
    throw refused(path, error);
  } finally {
    await rm(staged, { recursive: true, force: true }).catch(() => undefined);
  }
}
