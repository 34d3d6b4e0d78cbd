import { constants } from "node:fs";
import { lstat, mkdir, open, readdir, readFile, rmdir, statfs, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Failure } from "../failure.ts";
import { errorCode } from "./error-code.ts";

// Secrets are written to memory file systems only: their kind is asked of the kernel before the
// first byte (statfs(2)), whoever made them and whatever they are called.
const tmpfsMagic = 0x01021994;
const ramfsMagic = 0x858458f6;

/** Where the file system of each in-place service is mounted, in a mount namespace of its own. */
export const mountPoint = "/run/sealaunch/service";

/** Room for what may be delivered: tmpfs is bounded by it, and what is written to ramfs too. */
const maxDeliveredSize = 16 * 1024 * 1024;

/**
 * Returns if what bin/sealaunch has mounted is what secrets may be written to: the way to it is
 * root's alone, it is in memory, and nothing outside this mount namespace sees it.
 *
 * @throws Failure `mount/refused`, `mount/not-memory`
 */
export async function checkMount(): Promise<void> {
  const parent = dirname(mountPoint);
  const facts = await lstat(parent);
  if (!facts.isDirectory() || facts.uid !== 0 || (facts.mode & 0o022) !== 0) {
    throw new Failure(
      "mount/refused",
      `${parent} is not a directory that only root may write`,
      `look at what is in it, then: rm -r ${parent}`,
    );
  }
  await requireMemory(mountPoint);
  // What is mounted in a shared mount is mounted outside too (mount_namespaces(7)).
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  const ours = mounts.map((line) => line.split(" ")).findLast((fields) => fields[4] === mountPoint);
  if (ours === undefined || ours.some((field) => field.startsWith("shared:"))) {
    throw new Failure("mount/refused", `${mountPoint} is shared with the rest of the machine`);
  }
}

/** Whether a file system exists in memory only; tmpfs may still be swapped. */
export function isInMemory({ type }: { readonly type: number }): boolean {
  return type === tmpfsMagic || type === ramfsMagic;
}

/**
 * Returns if `path` lies on a file system that exists in memory only.
 *
 * @throws Failure `mount/not-memory`
 */
async function requireMemory(path: string): Promise<void> {
  const facts = await statfs(path).catch((error: unknown) => {
    throw new Failure("mount/not-memory", `${path} can't be looked at: ${errorCode(error)}`);
  });
  if (isInMemory(facts)) return;
  throw new Failure(
    "mount/not-memory",
    `${path} lies on a file system of type 0x${facts.type.toString(16)}, not on tmpfs or ramfs`,
  );
}

/** A file of a service's credentials. */
export interface DeliveredFile {
  readonly name: string;
  readonly value: Uint8Array;
}

/** Who a directory of credentials is for. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * After it, `directory` is new, has mode 0500 and those files with mode 0400, and belongs to
 * `owner`. At no moment could anybody else open one of them.
 *
 * @throws Failure `mount/not-memory`, `write/refused`, `credential/too-large`
 */
export async function writeCredentials(
  directory: string,
  files: readonly DeliveredFile[],
  { uid, gid }: Owner,
): Promise<void> {
  const size = files.reduce((sum, { value }) => sum + value.length, 0);
  if (size > maxDeliveredSize) {
    throw new Failure(
      "credential/too-large",
      `the credentials have together over ${String(maxDeliveredSize)} bytes`,
    );
  }
  try {
    await mkdir(directory, { mode: 0o700 });
    await requireMemory(directory);
    for (const { name, value } of files)
      await writeFile0400(join(directory, name), value, uid, gid);
    const folder = await open(
      directory,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
    );
    try {
      await folder.chown(uid, gid);
      await folder.chmod(0o500);
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      "write/refused",
      `credentials can't be written to ${directory}: ${errorCode(error)}`,
    );
  }
}

/** Nobody may open the file until it is whole and has its owner. */
async function writeFile0400(
  path: string,
  value: Uint8Array,
  uid: number,
  gid: number,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0);
  try {
    await file.writeFile(value);
    await file.chown(uid, gid);
    await file.chmod(0o400);
  } finally {
    await file.close();
  }
}

/**
 * A place for one start's files in a directory that a scheduler gives, where nothing can be mounted:
 * what an earlier start left there is gone.
 *
 * The directory and all above it are root's. Else the service's user could put a link in the way
 * while root writes, and have files of his made wherever he likes.
 *
 * @returns the path of `DIR/sealaunch`, which has nothing in it
 * @throws Failure `mount/not-memory`, `write/refused`
 */
export async function claimDirectory(directory: string): Promise<string> {
  const given = resolve(directory);
  for (let path = given; ; path = dirname(path)) {
    await requireRootOnly(path, path !== given);
    if (path === dirname(path)) break;
  }
  await requireMemory(given);
  const place = join(given, "sealaunch");
  try {
    await removePlace(place);
    await mkdir(place, { mode: 0o755 });
  } catch (error) {
    throw new Failure("write/refused", `${place} can't be made anew: ${errorCode(error)}`);
  }
  return place;
}

async function requireRootOnly(path: string, maySticky: boolean): Promise<void> {
  const facts = await lstat(path).catch((error: unknown) => {
    throw new Failure("mount/not-memory", `${path} can't be looked at: ${errorCode(error)}`);
  });
  const mayOthersWrite = (facts.mode & 0o022) !== 0;
  // In a sticky directory others can't replace what is root's: /dev/shm.
  const isSticky = maySticky && (facts.mode & 0o1000) !== 0;
  if (facts.isDirectory() && facts.uid === 0 && (!mayOthersWrite || isSticky)) return;
  throw new Failure(
    "write/refused",
    `${path} is not a directory that only root may write`,
    "give --credentials-dir a directory that is root's, as all above it: install -d -m 0755 /dev/shm/SERVICE",
  );
}

/** Only names are removed, and no link is followed: in the inner directory the user may have put some. */
async function removePlace(place: string): Promise<void> {
  const inner = join(place, "credentials");
  for (const name of await readdir(inner).catch(ignoreAbsent)) await unlink(join(inner, name));
  await rmdir(inner).catch(ignoreAbsent);
  for (const name of await readdir(place).catch(ignoreAbsent)) {
    if (name.startsWith("pin")) await unlink(join(place, name));
  }
  await rmdir(place).catch(ignoreAbsent);
}

function ignoreAbsent(error: unknown): never[] {
  if (errorCode(error) === "ENOENT") return [];
  throw error;
}

/** The files directly in a directory of credentials for local work. @throws Failure `credential/missing` */
export async function listCredentials(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => {
    throw new Failure(
      "credential/missing",
      `there is no directory ${directory}`,
      `make it, with a file for each credential: mkdir ${directory}`,
    );
  });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
