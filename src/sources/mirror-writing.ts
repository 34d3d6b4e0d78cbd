import { chmod, lstat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sinceMs } from "../host/elapsed.ts";
import { listDirectory, removeFile, writeFileAtomic } from "../host/files.ts";
import { maxListSize, mirrorFile, openMirror } from "./mirror.ts";
import type { Source } from "./source.ts";

const publicMode = 0o644;
/** Of a file that nothing names any more: it goes with a later pass, so that who has just read its name finds it. */
const leavingMode = 0o444;
const leavingMs = 60_000;

/** One pass over a mirror: what is put or kept is there after `finish`, and nothing else. */
export interface MirrorPass {
  /** The mirror as it is now. */
  readonly mirror: Source;
  /** After it, the mirror's file for that object holds `bytes`, whole and durable. @throws Failure `write/refused` */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** As {@link put}, of all files of a folder that appears whole. @param files - by path within it */
  putFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /** The object stays as it is, or is only named: that it is there elsewhere is to be seen. */
  keep(path: string): void;
  /** Everything stays that the mirror has in a folder. @throws Failure `source/…` */
  keepFolder(folder: string): Promise<void>;
  /**
   * After it, the mirror's lists name what was put or kept, and what isn't named any more is on its way out.
   *
   * @throws Failure `write/refused`, `source/unreadable`
   */
  finish(): Promise<void>;
}

/** A pass over a mirror that another may go on from. */
export interface DirectoryPass extends MirrorPass {
  /** What was put or kept, by path. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Begins a pass over the mirror in a directory, which belongs to whoever runs this.
 *
 * @param before - what the pass before has put or kept, once it is finished, of which what isn't left out stays;
 *   undefined begins anew
 * @param leftOut - the beginnings of what this pass puts or keeps itself
 */
export function beginPass(
  directory: string,
  before?: ReadonlySet<string>,
  leftOut: readonly string[] = [],
): DirectoryPass {
  const mirror = openMirror(directory);
  const stays = (path: string): boolean => !leftOut.some((beginning) => path.startsWith(beginning));
  const kept = new Set([...(before ?? [])].filter(stays));
  const write = async (path: string, bytes: Uint8Array, maxBytes: number): Promise<void> => {
    const before = await mirror.read(path, maxBytes).catch(() => undefined);
    if (before !== undefined && Buffer.compare(before, bytes) === 0) return;
    await writeFileAtomic(join(directory, mirrorFile(path)), bytes, publicMode);
  };
  const keepFolder = async (folder: string): Promise<void> => {
    for (const name of await mirror.list(folder)) {
      kept.add(`${folder}/${name}`);
      await keepFolder(`${folder}/${name}`);
    }
  };
  const put = async (path: string, bytes: Uint8Array): Promise<void> => {
    await write(path, bytes, bytes.length);
    kept.add(path);
  };
  return {
    mirror,
    kept,
    put,
    // What lists it comes later.
    putFolder: async (folder, files) => {
      for (const [name, bytes] of files) await put(`${folder}/${name}`, bytes);
    },
    keep: (path) => {
      kept.add(path);
    },
    keepFolder,
    finish: async () => {
      const lists = listsOf(kept);
      const listed = listsOf(before ?? new Set());
      // What a list names is there before it, and its folders' lists too.
      for (const folder of [...lists.keys()].sort().reverse()) {
        const names = textOf(lists.get(folder));
        if (names === textOf(listed.get(folder))) continue;
        await write(`${folder}/`, new TextEncoder().encode(names), maxListSize);
      }
      // What went since the pass before goes with one that begins anew.
      if (before !== undefined) return;
      const objects = [...kept].map(mirrorFile);
      const folders = [...lists.keys()].map((folder) => mirrorFile(`${folder}/`));
      await sweep(directory, new Set([...objects, ...folders]));
    },
  };
}

/** A name a line, in rising order; "" where there is no folder. */
function textOf(names: ReadonlySet<string> | undefined): string {
  return names === undefined ? "" : `${[...names].sort().join("\n")}\n`;
}

/** The names within each folder. */
function listsOf(paths: ReadonlySet<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const lists = new Map<string, Set<string>>();
  for (const path of paths) {
    for (let at = path, folder = dirname(at); folder !== "."; at = folder, folder = dirname(at)) {
      const names = lists.get(folder) ?? new Set();
      lists.set(folder, names.add(at.slice(folder.length + 1)));
    }
  }
  return lists;
}

/** Takes out what was on its way out before, and sends the rest that isn't named on its way. */
async function sweep(directory: string, named: ReadonlySet<string>): Promise<void> {
  for (const name of await listDirectory(directory)) {
    const path = join(directory, name);
    const facts = await lstat(path).catch(() => undefined);
    if (facts === undefined || facts.isDirectory()) continue;
    const isLeaving = (facts.mode & 0o777) === leavingMode;
    if (named.has(name)) {
      if (isLeaving) await chmod(path, publicMode);
    } else if (!isLeaving && facts.isFile()) await chmod(path, leavingMode);
    else if (!facts.isFile() || sinceMs(facts.ctimeMs) > leavingMs) await removeFile(path);
  }
}
