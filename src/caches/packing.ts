import { createHash } from "node:crypto";
import { open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  constants,
  createZstdCompress,
  zstdCompress,
  zstdCompressSync,
  type ZstdOptions,
} from "node:zlib";
import { Failure } from "../failure.ts";
import { narOf, narSlack } from "../host/nar-writing.ts";
import type { ValidPath } from "../host/nix/closure.ts";
import { nixBase32 } from "../service/nar.ts";
import { diskFailure, discard, type Body, type Spooled } from "./cache.ts";
import { spoolPrefix } from "./directory.ts";

/** A store path's archive, packed as it goes into a cache (docs/decisions/0025). */
export interface Packed {
  readonly compression: "zstd" | "none";
  /** Of the packed bytes: `sha256:`, in Nix's base 32. */
  readonly fileHash: string;
  readonly body: Body;
}

/** What is smaller isn't worth the packing. */
const smallest = 4 * 1024;
/** What is at most as large is held in memory; the rest waits on the disk. */
const largestInMemory = 1024 * 1024;

/** Of the archives of small paths, which are thousands: used again, since the runtime is slow to free them. */
const spare: Buffer[] = [];
/** As much of a large archive is read and packed at once. */
const pieceSize = 256 * 1024;

/** As `nix copy` packs with zstd. */
const level = { [constants.ZSTD_c_compressionLevel]: 3 };

/**
 * The archive of a valid path, packed, after it was found to be what the store's database says.
 *
 * @param place - where the path lies on the disk
 * @param spools - the directory for what is large
 * @throws Failure `store/altered`, `cache/full`
 */
export async function pack(
  path: ValidPath,
  place: string,
  spools: string | undefined,
): Promise<Packed> {
  const isSmall = path.narSize <= largestInMemory;
  return isSmall ? packInMemory(path, place) : packOnDisk(path, place, spools);
}

async function packInMemory(path: ValidPath, place: string): Promise<Packed> {
  const buffer = spare.pop() ?? Buffer.allocUnsafe(largestInMemory + narSlack);
  try {
    const pieces = narOf(place, buffer);
    const first = pieces.next();
    // One that goes on behind it has another hash.
    pieces.return();
    const nar = first.done === true ? buffer.subarray(0, 0) : first.value;
    requireSame(path, sha256(nar));
    const small = nar.length < smallest ? nar : await compress(nar, options(path));
    const isPacked = small.length < nar.length;
    // The buffer is the next one's, and this may be on its way still.
    const body = isPacked ? small : Buffer.from(nar);
    return { compression: isPacked ? "zstd" : "none", fileHash: sha256(body), body };
  } finally {
    spare.push(buffer);
  }
}

/** Below it the way through the thread pool takes as long as the packing. */
const largestAtOnce = 128 * 1024;
const compressInPool = promisify<Uint8Array, ZstdOptions, Uint8Array>(zstdCompress);

function compress(nar: Uint8Array, how: ZstdOptions): Uint8Array | Promise<Uint8Array> {
  return nar.length <= largestAtOnce ? zstdCompressSync(nar, how) : compressInPool(nar, how);
}

async function packOnDisk(
  path: ValidPath,
  place: string,
  spools: string | undefined,
): Promise<Packed> {
  const [zstd, narHash, fileHash] = [
    createZstdCompress(options(path)),
    createHash("sha256"),
    createHash("sha256"),
  ];
  const spool = await openSpool(spools);
  let size = 0;
  const written = (async () => {
    for await (const piece of zstd as AsyncIterable<Uint8Array>) {
      fileHash.update(piece);
      await spool.file.writeFile(piece);
      size += piece.length;
    }
  })();
  // It is waited for below; a fault meanwhile is none that nobody looks at.
  written.catch(() => undefined);
  try {
    let fed = 0;
    for (const piece of narOf(place, Buffer.allocUnsafe(pieceSize))) {
      fed += piece.length;
      if (fed > path.narSize) break;
      narHash.update(piece);
      await Promise.race([written, feed(zstd, piece)]);
    }
    requireSame(path, spell(narHash.digest()));
    zstd.end();
    await written;
  } catch (error) {
    zstd.destroy();
    await written.catch(() => undefined);
    await discard(spool);
    throw diskFailure(spool.path, error);
  }
  return { compression: "zstd", fileHash: spell(fileHash.digest()), body: { ...spool, size } };
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

/** After it, the piece was taken in, and its memory may be used for the next. */
async function feed(zstd: NodeJS.WritableStream, piece: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    zstd.write(piece, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

function options({ narSize }: ValidPath): ZstdOptions {
  // Room for all that a small one can come to, and no more.
  const chunkSize = Math.min(narSize + (narSize >> 8) + 128, pieceSize);
  return { chunkSize, params: level, pledgedSrcSize: narSize };
}

function requireSame({ storePath, narHash }: ValidPath, found: string): void {
  if (found === narHash) return;
  throw new Failure(
    "store/altered",
    `${storePath} has the hash ${found} on the disk, and ${narHash} in Nix's database`,
    `nix-store --repair-path ${storePath}, or build it anew`,
  );
}

function sha256(bytes: Uint8Array): string {
  return spell(createHash("sha256").update(bytes).digest());
}

function spell(digest: Uint8Array): string {
  return `sha256:${nixBase32(digest)}`;
}
