import { createHash } from "node:crypto";
import { constants, type ZstdOptions } from "node:zlib";
import { Failure } from "../failure.ts";
import type { ValidPath } from "../host/nix/path-info.ts";
import { nixBase32 } from "../service/nar.ts";
import type { Body } from "./cache.ts";

/** A store path's archive, packed as it goes into a cache (docs/decisions/0025). */
export interface Packed {
  readonly compression: "zstd" | "none";
  /** Of the packed bytes: `sha256:`, in Nix's base 32. */
  readonly fileHash: string;
  readonly body: Body;
}

/** As much of a large archive is read and packed at once, in bytes. */
export const pieceSize = 256 * 1024;

/** As `nix copy` packs with zstd. */
const level = { [constants.ZSTD_c_compressionLevel]: 3 };

/** How zstd packs the archive of a path. */
export function zstdOptions({ narSize }: ValidPath): ZstdOptions {
  // Room for all that a small one can come to, and no more.
  const chunkSize = Math.min(narSize + (narSize >> 8) + 128, pieceSize);
  return { chunkSize, params: level, pledgedSrcSize: narSize };
}

/** Returns if an archive has the hash that the store's database says. @throws Failure `store/altered` */
export function requireSame({ storePath, narHash }: ValidPath, found: string): void {
  if (found === narHash) return;
  throw new Failure(
    "store/altered",
    `${storePath} has the hash ${found} on the disk, and ${narHash} in Nix's database`,
    `nix-store --repair-path ${storePath}, or build it anew`,
  );
}

/** The SHA-256 of bytes, as {@link spellHash} has it. */
export function sha256(bytes: Uint8Array): string {
  return spellHash(createHash("sha256").update(bytes).digest());
}

/** `sha256:`, and a digest in Nix's base 32. */
export function spellHash(digest: Uint8Array): string {
  return `sha256:${nixBase32(digest)}`;
}
