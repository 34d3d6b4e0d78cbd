import { createHash } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createZstdCompress, type ZstdCompress } from "node:zlib";
import { narOf } from "../host/nar-writing.ts";
import type { ValidPath } from "../host/nix/path-info.ts";
import { diskFailure, discard, type Spooled } from "./cache.ts";
import { spoolPrefix } from "./directory.ts";
import { pieceSize, requireSame, spellHash, zstdOptions, type Packed } from "./packed.ts";
import { largestInMemory, packInMemory } from "./packing-small.ts";

/**
 * The archive of a valid path, packed, after it was found to be what the store's database says.
 *
 * @param place - where the path lies on the disk
 * @param spools - the directory for what is large
 * @param advance - is told how many bytes of it were packed more
 * @throws Failure `store/altered`, `cache/full`
 */
export async function pack(
  path: ValidPath,
  place: string,
  spools: string | undefined,
  advance: (narBytes: number) => void,
): Promise<Packed> {
  if (path.narSize > largestInMemory) return packOnDisk(path, place, spools, advance);
  const packed = await packInMemory(path, place);
  advance(path.narSize);
  return packed;
}

async function packOnDisk(
  path: ValidPath,
  place: string,
  spools: string | undefined,
  advance: (narBytes: number) => void,
): Promise<Packed> {
  const [zstd, narHash, fileHash] = [
    createZstdCompress(zstdOptions(path)),
    createHash("sha256"),
    createHash("sha256"),
  ];
  const spool = await openSpool(spools);
  let size = 0;
  let fault: unknown;
  const written = (async () => {
    for await (const piece of zstd as AsyncIterable<Uint8Array>) {
      fileHash.update(piece);
      // Kept before the stream ends of it, which has a poorer reason.
      await spool.file.writeFile(piece).catch((error: unknown) => {
        fault = error;
        throw error;
      });
      size += piece.length;
    }
  })();
  const feed = feederOf(zstd, written);
  try {
    let fed = 0;
    for (const piece of narOf(place, Buffer.allocUnsafe(pieceSize))) {
      fed += piece.length;
      if (fed > path.narSize) break;
      narHash.update(piece);
      await feed(piece);
      advance(piece.length);
    }
    requireSame(path, spellHash(narHash.digest()));
    zstd.end();
    await written;
  } catch (error) {
    zstd.destroy();
    await written.catch(() => undefined);
    await discard(spool);
    throw diskFailure(spool.path, fault ?? error);
  }
  return { compression: "zstd", fileHash: spellHash(fileHash.digest()), body: { ...spool, size } };
}

async function openSpool(directory: string | undefined): Promise<Spooled> {
  const path = join(directory ?? tmpdir(), spoolPrefix + crypto.randomUUID());
  try {
    const file = await open(path, "wx+", 0o644);
    // Nobody else needs its name, and so nothing is left behind, whatever ends this process.
    if (directory === undefined) await unlink(path);
    return { file, path, size: 0 };
  } catch (error) {
    throw diskFailure(path, error);
  }
}

/**
 * What gives a piece to zstd: after it, the piece was taken in, and its memory may be used for the next.
 *
 * @param written - what takes the packed bytes away; when that fails, so does the feeding, which would wait for ever
 */
function feederOf(
  zstd: ZstdCompress,
  written: Promise<void>,
): (piece: Uint8Array) => Promise<void> {
  let refuse: ((error: unknown) => void) | undefined;
  // Once for the archive: a race for every piece would be remembered until the archive's end.
  written.catch((error: unknown) => refuse?.(error));
  return (piece) =>
    new Promise((resolve, reject) => {
      refuse = reject;
      zstd.write(piece, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
}
