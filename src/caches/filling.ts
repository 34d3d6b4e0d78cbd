import type { CacheKey } from "../formats/cache-key.ts";
import { signNarInfo, type NarInfo } from "../formats/nar-info.ts";
import type { ValidPath } from "../host/nix/path-info.ts";
import { discard, sizeOf, type Cache } from "./cache.ts";
import { inParallel } from "../host/in-parallel.ts";
import { meterOf } from "./meter.ts";
import { pack } from "./packing.ts";
import { largestInMemory } from "./packing-small.ts";

/** As many large archives are packed at once, largest first. */
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
 * @param advance - is told how much more is done, in bytes of the archives
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
  const put = async (path: ValidPath): Promise<void> => {
    const meter = meterOf(path.narSize, cache.spools === undefined, advance);
    const packed = await pack(path, placeOf(path.storePath), cache.spools, (bytes) => {
      meter.packed(bytes);
    });
    const suffix = packed.compression === "zstd" ? ".zst" : "";
    const url = `nar/${packed.fileHash.slice("sha256:".length)}.nar${suffix}`;
    const fileSize = sizeOf(packed.body);
    try {
      // Named by its content: what has that name needn't be sent again.
      if (await cache.has(url)) presentBytes += fileSize;
      else {
        await cache.put(url, packed.body, (bytes) => {
          meter.sent(bytes, fileSize);
        });
        sentBytes += fileSize;
      }
    } finally {
      await discard(packed.body);
    }
    narInfos.push(signNarInfo(describe(path, url, packed, fileSize), keys));
    meter.end();
  };
  const largestFirst = missing.toSorted((one, other) => other.narSize - one.narSize);
  const isSmall = ({ narSize }: ValidPath): boolean => narSize <= largestInMemory;
  await inParallel(
    packedAtOnce,
    largestFirst.filter((path) => !isSmall(path)),
    put,
  );
  // What takes no time to send takes as long as the way there and back: as many at once as the cache is asked.
  await inParallel(Math.max(packedAtOnce, cache.width), largestFirst.filter(isSmall), put);
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
