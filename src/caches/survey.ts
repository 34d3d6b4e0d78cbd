import { Failure } from "../failure.ts";
import type { CacheKey } from "../formats/cache-key.ts";
import { decodeNarInfo, signNarInfo, type NarInfo } from "../formats/nar-info.ts";
import type { ValidPath } from "../host/nix/path-info.ts";
import type { Cache } from "./cache.ts";
import { inParallel } from "../host/in-parallel.ts";

/** What a closure still needs to be whole in a cache, or in those that its readers use besides. */
export interface Survey {
  /** Not in the cache. */
  readonly missing: readonly ValidPath[];
  /** In the cache, but not signed by all of the keys. */
  readonly unsigned: readonly NarInfo[];
  /** In another cache, and left there. */
  readonly elsewhere: readonly ValidPath[];
  /** In the cache with other content than here: built twice, with two results. */
  readonly different: readonly ValidPath[];
}

/**
 * What a cache has of a closure, asked path by path.
 *
 * @throws Failure `cache/…`
 */
export async function survey(
  cache: Cache,
  closure: readonly ValidPath[],
  keys: readonly CacheKey[],
  upstreams: readonly Cache[],
): Promise<Survey> {
  const missing = new Set<ValidPath>();
  const [unsigned, elsewhere, different]: [NarInfo[], ValidPath[], ValidPath[]] = [[], [], []];
  await inParallel(cache.width, closure, async (path) => {
    const found = await readNarInfo(cache, path.storePath);
    if (found === undefined) missing.add(path);
    // It isn't ours to sign. Nix trusts the other's signature, or refuses it as it should.
    else if (found.narHash !== path.narHash) different.push(path);
    else if (signNarInfo(found, keys).signatures.length > found.signatures.length)
      unsigned.push(found);
  });
  for (const upstream of upstreams) {
    await inParallel(upstream.width, [...missing], async (path) => {
      if (!(await upstream.has(narInfoKey(path.storePath)))) return;
      missing.delete(path);
      elsewhere.push(path);
    });
  }
  return { missing: [...missing], unsigned, elsewhere, different };
}

/** The name of a store path's narinfo: its hash alone. */
export function narInfoKey(storePath: string): string {
  return `${hashOf(storePath)}.narinfo`;
}

/** The 32 digits of a store path. */
function hashOf(storePath: string): string {
  return storePath.slice("/nix/store/".length, "/nix/store/".length + 32);
}

/** What a cache says of a store path; undefined if nothing. @throws Failure `cache/…` */
export async function readNarInfo(cache: Cache, storePath: string): Promise<NarInfo | undefined> {
  const key = narInfoKey(storePath);
  const bytes = await cache.get(key);
  if (bytes === undefined) return undefined;
  const what = `${cache.name}/${key}`;
  const info = decodeNarInfo(bytes, what);
  if (info.storePath === storePath) return info;
  throw new Failure("cache/invalid", `${what} is of ${info.storePath}, not of ${storePath}`);
}

const cacheInfoKey = "nix-cache-info";

/** Whether the cache says of itself that it is one. @throws Failure `cache/other-store`, `cache/…` */
export async function isBegun(cache: Cache): Promise<boolean> {
  const bytes = await cache.get(cacheInfoKey);
  if (bytes === undefined) return false;
  const said = /^StoreDir: *(.*?)\s*$/mu.exec(new TextDecoder().decode(bytes))?.[1];
  if (said === "/nix/store") return true;
  throw new Failure(
    "cache/other-store",
    `${cache.name} is for stores at ${said ?? "a place that its nix-cache-info doesn't tell"}, not at /nix/store`,
  );
}

/** After it, the cache says of itself that it is one, and may be asked for many paths at once. */
export function begin(cache: Cache): Promise<void> {
  const lines = ["StoreDir: /nix/store", "WantMassQuery: 1", "Priority: 40", ""];
  return cache.put(cacheInfoKey, new TextEncoder().encode(lines.join("\n")));
}
