import { Failure } from "../failure.ts";
import { narInfoKey, readNarInfo } from "./survey.ts";
import type { Cache } from "./cache.ts";
import { inParallel } from "../host/in-parallel.ts";

/**
 * Returns if closures can be fetched from the caches together: one has each path, and all that it refers
 * to, by what narinfos say. Nothing of the paths themselves is read.
 *
 * @param caches - in the order in which they are asked
 * @throws Failure `closure/absent`, naming a path that none has; `cache/…`
 */
export async function requireHaving(
  caches: readonly Cache[],
  storePaths: readonly string[],
): Promise<void> {
  const width = Math.max(1, ...caches.map((cache) => cache.width));
  const seen = new Set<string>();
  for (let next = new Set(storePaths); next.size > 0;) {
    const asked = [...next];
    next = new Set();
    for (const path of asked) seen.add(path);
    await inParallel(width, asked, async (storePath) => {
      for (const name of await referencesOf(caches, storePath)) {
        const path = `/nix/store/${name}`;
        if (!seen.has(path)) next.add(path);
      }
    });
  }
}

async function referencesOf(
  caches: readonly Cache[],
  storePath: string,
): Promise<readonly string[]> {
  for (const cache of caches) {
    const info = await readNarInfo(cache, storePath);
    if (info !== undefined) return info.references;
  }
  const names = caches.map(({ name }) => name).join(", ");
  throw new Failure(
    "closure/absent",
    `no cache has ${storePath}: asked were ${names} for ${narInfoKey(storePath)}`,
    `sealaunch publish ${storePath}`,
  );
}
