import { Failure } from "../failure.ts";
import type { CacheKey } from "../formats/cache-key.ts";
import { encodeNarInfo, signNarInfo, type NarInfo } from "../formats/nar-info.ts";
import type { ValidPath } from "../host/nix/closure.ts";
import { discard, sizeOf, type Cache } from "./cache.ts";
import { inParallel } from "./each.ts";
import { pack } from "./packing.ts";
import { narInfoKey, readNarInfo } from "./survey.ts";

/** As many archives are packed at once, largest first. */
const packedAtOnce = 4;

/** How much a closure's archives came to. */
export interface Filled {
  readonly narInfos: readonly NarInfo[];
  /** Packed bytes that were sent, and that were there before. */
  readonly sentBytes: number;
  readonly presentBytes: number;
}

/**
 * After it, the cache has the archives of `missing`, which no narinfo names yet.
 *
 * @param placeOf - where a store path lies on the disk
 * @param advance - is told of the bytes of each archive that is done
 * @returns the narinfos to be written, signed
 * @throws Failure `store/altered`, `cache/…`
 */
export async function putArchives(
  cache: Cache,
  missing: readonly ValidPath[],
  keys: readonly CacheKey[],
  placeOf: (storePath: string) => string,
  advance: (narBytes: number) => void,
): Promise<Filled> {
  const narInfos: NarInfo[] = [];
  let [sentBytes, presentBytes] = [0, 0];
  const largestFirst = missing.toSorted((one, other) => other.narSize - one.narSize);
  await inParallel(packedAtOnce, largestFirst, async (path) => {
    const packed = await pack(path, placeOf(path.storePath), cache.spools);
    const suffix = packed.compression === "zstd" ? ".zst" : "";
    const url = `nar/${packed.fileHash.slice("sha256:".length)}.nar${suffix}`;
    const fileSize = sizeOf(packed.body);
    try {
      // Named by its content: what has that name needn't be sent again.
      if (await cache.has(url)) presentBytes += fileSize;
      else {
        await cache.put(url, packed.body);
        sentBytes += fileSize;
      }
    } finally {
      await discard(packed.body);
    }
    narInfos.push(signNarInfo(describe(path, url, packed, fileSize), keys));
    advance(path.narSize);
  });
  if (sentBytes > 0) await cache.settle();
  return { narInfos, sentBytes, presentBytes };
}

function describe(
  path: ValidPath,
  url: string,
  packed: { readonly compression: string; readonly fileHash: string },
  fileSize: number,
): NarInfo {
  return {
    storePath: path.storePath,
    url,
    compression: packed.compression,
    fileHash: packed.fileHash,
    fileSize,
    narHash: path.narHash,
    narSize: path.narSize,
    references: path.references.map(baseName),
    deriver: path.deriver === undefined ? undefined : baseName(path.deriver),
    signatures: path.signatures,
    ca: path.ca,
  };
}

function baseName(storePath: string): string {
  return storePath.slice("/nix/store/".length);
}

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
  for (const info of narInfos) waits.set(baseName(info.storePath), { info, left: 0 });
  const referrers = new Map<string, string[]>();
  for (const [name, wait] of waits) {
    for (const reference of new Set(wait.info.references)) {
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
      .flatMap(({ info }) => referrers.get(baseName(info.storePath)) ?? [])
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
