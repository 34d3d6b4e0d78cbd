import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { concatBytes, hex } from "../crypto/bytes.ts";
import { sha256 } from "../crypto/digest.ts";
import { Failure } from "../failure.ts";
import { maxPartSize, maxTextSize, type Packed } from "../formats/records/inventory.ts";

// A text too large for one object of a source: compressed (Zstandard, RFC 8878), and cut where an object
// is full. Each piece is named by its hash, so that what hasn't changed isn't written again.

/** A text as it lies in a source. */
export interface Pieces {
  readonly packed: Packed;
  /** By their hashes. */
  readonly parts: ReadonlyMap<string, Uint8Array>;
}

/** The same text gives the same pieces. @throws Failure `source/too-large` */
export function pack(text: Uint8Array): Pieces {
  if (text.length > maxTextSize) {
    throw new Failure(
      "source/too-large",
      `an inventory's text has ${String(text.length)} bytes, more than ${String(maxTextSize)}`,
    );
  }
  const compressed = new Uint8Array(zstdCompressSync(text));
  const parts = new Map<string, Uint8Array>();
  const hashes: string[] = [];
  for (let at = 0; at < compressed.length; at += maxPartSize) {
    const part = compressed.slice(at, at + maxPartSize);
    const hash = hex(sha256(part));
    parts.set(hash, part);
    hashes.push(hash);
  }
  return { packed: { hash: hex(sha256(text)), size: text.length, parts: hashes }, parts };
}

/**
 * What gives the text of these pieces, unpacked and judged each time anew, so that only what it takes
 * compressed is kept. No more memory is taken than it says that it has.
 *
 * @param read - a piece by its hash; undefined if it isn't there
 * @throws Failure `inventory/malformed` if a piece is missing or another; when the text is asked for, if it is
 */
export async function unpack(
  { hash, size, parts }: Packed,
  read: (hash: string) => Promise<Uint8Array | undefined>,
  what: string,
): Promise<() => Uint8Array> {
  const refuse = (why: string): Failure => new Failure("inventory/malformed", `${what}: ${why}`);
  if (size > maxTextSize) throw refuse(`it says that it has ${String(size)} bytes`);
  const pieces: Uint8Array[] = [];
  for (const part of parts) {
    const bytes = await read(part);
    if (bytes === undefined) throw refuse(`its piece ${part} isn't there`);
    if (hex(sha256(bytes)) !== part) throw refuse(`its piece ${part} is another`);
    pieces.push(bytes);
  }
  const compressed = concatBytes(...pieces);
  return () => {
    const text = decompress(compressed, size);
    if (text === undefined || hex(sha256(text)) !== hash) throw refuse("its text is another");
    return text;
  };
}

function decompress(bytes: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const text = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, size) });
    return new Uint8Array(text.buffer, text.byteOffset, text.length);
  } catch {
    return undefined;
  }
}
