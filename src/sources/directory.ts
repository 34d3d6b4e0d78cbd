import { join, resolve } from "node:path";
import { publishDirectory, readRegularFile, removeTree, writeFileAtomic } from "../host/files.ts";
import { listTree } from "../host/listing.ts";
import type { Source } from "./source.ts";

// Two folders, so that who reviews what in a repository can be told by path: `keys` for whom to
// trust, `secrets` for what is sealed.
const secretFolders = new Set(["bundles", "headers"]);

/** Objects are public: everybody may read them. */
const publicMode = 0o644;

/** Whether an object is what is sealed, not whom to trust. */
export function isSecretObject(object: string): boolean {
  return secretFolders.has(object.split("/", 1)[0] ?? "");
}

/** Where an object lies below a directory that is a source. */
export function placeWithin(object: string): string {
  return `${isSecretObject(object) ? "secrets" : "keys"}/${object}`;
}

/** The source in a directory, for instance a git checkout: `keys/` and `secrets/` below it. */
export function openDirectory(path: string, base: string): Source {
  const root = resolve(base, path);
  const place = (object: string): string => join(root, placeWithin(object));
  return {
    name: `dir:${root}`,
    place,
    read: (object, maxBytes) => readRegularFile(place(object), maxBytes),
    list: (folder) => listTree(place(folder)),
    write: (object, bytes) => writeFileAtomic(place(object), bytes, publicMode),
    publish: (folder, files) => publishDirectory(place(folder), files),
    remove: (path) => removeTree(place(path)),
  };
}
