import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure.ts";
import { factsOf } from "../host/file-facts.ts";
import { readRegularFile } from "../host/files.ts";
import type { Source } from "./source.ts";

// One flat directory, so that whoever writes there has no path to choose: a file is named after the
// SHA-256 of what it stands for. That is an object's path, or a folder's with a '/' behind it, whose file
// lists the names within it, one a line. Nothing here is trusted: a list, like any source's, can but name
// what is then judged, and leave out what is there.

/** Of a folder's list: the entries of the 60,000 members that a pool may have, or 16,000 names of the longest. */
export const maxListSize = 4 * 1024 * 1024;

/** The name of the file that stands for an object, or for `folder/`. */
export function mirrorFile(path: string): string {
  return createHash("sha256").update(path).digest("hex");
}

/**
 * What `sealaunch sync` has brought to this machine, to be read only. A file counts if it is a plain one,
 * with one link, of the user whose the directory is.
 */
export function openMirror(directory: string): Source {
  const name = `mirror:${directory}`;
  let owner: Promise<number | undefined> | undefined;
  const read = async (path: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const uid = await (owner ??= ownerOf(directory));
    if (uid === undefined) return undefined;
    const file = join(directory, mirrorFile(path));
    return readRegularFile(file, maxBytes, (facts) => {
      requireOwned(facts, uid, `${file} (${path})`);
    });
  };
  const refuse = (what: string): Promise<never> =>
    Promise.reject(new Failure("write/refused", `${name} is only read: ${what}`));
  return {
    name,
    place: (path) => join(directory, mirrorFile(path)),
    read,
    list: async (folder) => {
      const bytes = await read(`${folder}/`, maxListSize);
      if (bytes === undefined) return [];
      // Whatever isn't UTF-8 becomes a character that no name has.
      const names = new TextDecoder().decode(bytes).split("\n");
      return names.filter((one) => !["", ".", ".."].includes(one) && !one.includes("/"));
    },
    write: refuse,
    publish: refuse,
    remove: refuse,
  };
}

/** Whose the mirror is; undefined if there is none. Nobody else may have put anything there. */
async function ownerOf(directory: string): Promise<number | undefined> {
  const facts = await factsOf(directory);
  if (facts === undefined) return undefined;
  if (facts.isDirectory() && (facts.mode & 0o022) === 0) return facts.uid;
  throw new Failure(
    "source/hostile",
    `${directory} is no directory that its owner alone may write to`,
    `chmod go-w ${directory}`,
  );
}

function requireOwned({ uid, nlink }: Stats, owner: number, file: string): void {
  if (uid !== owner) {
    throw new Failure(
      "source/hostile",
      `${file} belongs to user ${String(uid)}, and the mirror to ${String(owner)}`,
    );
  }
  // One that sync has replaced since it was opened has none, and is what it was.
  if (nlink > 1) throw new Failure("source/hostile", `${file} has ${String(nlink)} links`);
}
