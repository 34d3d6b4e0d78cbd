import { resolve } from "node:path";
import { Failure } from "../failure.ts";
import { isBlobOf, readTree, type GitEnvironment } from "../host/git.ts";
import { placeWithin } from "./directory.ts";
import type { Revision } from "./source.ts";

/**
 * A directory's source as a commit of its git repository has it.
 *
 * @throws Failure `git/failed`, `program/missing`
 */
export async function openRevision(
  path: string,
  base: string,
  revision: string,
  environment: GitEnvironment,
): Promise<Revision> {
  const { commit, blobs, read } = await readTree(resolve(base, path), revision, environment);
  const folders = new Map<string, Set<string>>();
  for (const file of blobs.keys()) {
    const segments = file.split("/");
    for (const [depth, name] of segments.entries()) {
      const folder = segments.slice(0, depth).join("/");
      folders.set(folder, (folders.get(folder) ?? new Set()).add(name));
    }
  }
  const name = `revision ${revision} of ${resolve(base, path)}`;
  const refuse = (what: string): Promise<never> =>
    Promise.reject(new Failure("write/refused", `${name} can't be changed: ${what}`));
  return {
    name,
    commit,
    place: (object) => `${revision}:${placeWithin(object)}`,
    had: (object, bytes) => {
      const blob = blobs.get(placeWithin(object));
      return blob !== undefined && isBlobOf(blob, bytes);
    },
    read: async (object, maxBytes) => {
      const blob = blobs.get(placeWithin(object));
      if (blob === undefined) return undefined;
      if (!blob.isFile || blob.size > maxBytes) {
        throw new Failure(
          "source/hostile",
          `${name}: ${object} is no plain file of at most ${String(maxBytes)} bytes`,
        );
      }
      return read(blob);
    },
    list: (folder) => Promise.resolve([...(folders.get(placeWithin(folder)) ?? [])]),
    write: refuse,
    publish: refuse,
    remove: refuse,
  };
}
