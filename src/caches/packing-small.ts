import { promisify } from "node:util";
import { zstdCompress, zstdCompressSync, type ZstdOptions } from "node:zlib";
import { narOf, narSlack } from "../host/nar-writing.ts";
import type { ValidPath } from "../host/nix/path-info.ts";
import { requireSame, sha256, zstdOptions, type Packed } from "./packed.ts";

/** Archives of at most so many bytes are packed in memory. */
export const largestInMemory = 1024 * 1024;
/** What is smaller isn't worth the packing. */
const smallest = 4 * 1024;
/** Up to it the way through the thread pool and back takes as long as the packing. */
const largestAtOnce = 128 * 1024;

/** Used again, since closures have thousands of such paths and the runtime is slow to free buffers. */
const spare: Buffer[] = [];

/** The archive of a path of at most {@link largestInMemory}. @throws Failure `store/altered` */
export async function packInMemory(path: ValidPath, place: string): Promise<Packed> {
  const buffer = spare.pop() ?? Buffer.allocUnsafe(largestInMemory + narSlack);
  try {
    const nar = readNar(place, buffer);
    requireSame(path, sha256(nar));
    const small = nar.length < smallest ? nar : await compress(nar, zstdOptions(path));
    const isPacked = small.length < nar.length;
    // What is sent may be on its way when the next archive is in the buffer.
    const body = isPacked ? small : Buffer.from(nar);
    return { compression: isPacked ? "zstd" : "none", fileHash: sha256(body), body };
  } finally {
    spare.push(buffer);
  }
}

/** An archive, as far as it fits: one that goes on behind it isn't the one that is looked for. */
function readNar(place: string, buffer: Buffer): Uint8Array {
  const pieces = narOf(place, buffer);
  const { done, value } = pieces.next();
  pieces.return();
  return done === true ? new Uint8Array() : value;
}

const compressInPool = promisify<Uint8Array, ZstdOptions, Uint8Array>(zstdCompress);

function compress(nar: Uint8Array, how: ZstdOptions): Uint8Array | Promise<Uint8Array> {
  return nar.length <= largestAtOnce ? zstdCompressSync(nar, how) : compressInPool(nar, how);
}
