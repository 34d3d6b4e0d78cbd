import { Failure } from "../failure.ts";
import { encodeNarInfo, type NarInfo } from "../formats/nar-info.ts";
import type { ValidPath } from "../host/nix/path-info.ts";
import type { Cache } from "./cache.ts";
import { inParallel } from "../host/in-parallel.ts";
import { narInfoKey, readNarInfo } from "./survey.ts";

/**
 * After it, the cache has those narinfos, each written when those of its references were there.
 *
 * @throws Failure `cache/…`
 */
export async function putNarInfos(cache: Cache, narInfos: readonly NarInfo[]): Promise<void> {
  for (const level of inLevels(narInfos)) {
    await inParallel(cache.width, level, (info) =>
      cache.put(narInfoKey(info.storePath), encodeNarInfo(info)),
    );
  }
  if (narInfos.length > 0) await cache.settle();
}

/** The same, in groups, each of which refers to none but those before it. */
function inLevels(narInfos: readonly NarInfo[]): NarInfo[][] {
  const waits = new Map<string, { readonly info: NarInfo; left: number }>();
  for (const info of narInfos) waits.set(info.storePath, { info, left: 0 });
  const referrers = new Map<string, string[]>();
  for (const [name, wait] of waits) {
    for (const baseName of new Set(wait.info.references)) {
      const reference = `/nix/store/${baseName}`;
      if (reference === name || !waits.has(reference)) continue;
      wait.left++;
      const others = referrers.get(reference);
      if (others === undefined) referrers.set(reference, [name]);
      else others.push(name);
    }
  }
  const levels: NarInfo[][] = [];
  let count = 0;
  let level = [...waits.values()].filter(({ left }) => left === 0);
  while (level.length > 0) {
    levels.push(level.map(({ info }) => info));
    count += level.length;
    level = level
      .flatMap(({ info }) => referrers.get(info.storePath) ?? [])
      .flatMap((name) => waits.get(name) ?? [])
      .filter((wait) => --wait.left === 0);
  }
  if (count < waits.size) throw new Error("internal: store paths refer to each other in a circle");
  return levels;
}

/**
 * After it, the cache was seen to have a narinfo of every path, with that content.
 *
 * @throws Failure `cache/incomplete`, `cache/…`
 */
export async function requireWhole(
  cache: Cache,
  paths: readonly Pick<ValidPath, "storePath" | "narHash">[],
): Promise<void> {
  await inParallel(cache.width, paths, async ({ storePath, narHash }) => {
    const found = await readNarInfo(cache, storePath);
    if (found?.narHash === narHash) return;
    const key = narInfoKey(storePath);
    throw new Failure(
      "cache/incomplete",
      found === undefined
        ? `${cache.name} has no ${key}, which was written just now or was there`
        : `${cache.name}/${key} says ${found.narHash}, not ${narHash} as was published`,
    );
  });
}
