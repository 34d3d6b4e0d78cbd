import { randomBytes } from "../../crypto/bytes.ts";
import type { Identity } from "../../crypto/identity.ts";
import type { Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { encodeHeader, fileKeySize, openHeader, parseHeader, type Header } from "./header.ts";
import { hybridType, parseHybrid, unwrapFileKey, wrapFileKey } from "./hybrid.ts";

// What Sealaunch allows itself of age (docs/bundle-format.md §4): one hybrid stanza, no armour,
// 2 KiB. One stanza, because a second could give a second file key to somebody else.

/** A header is at most this many bytes. */
export const maxHeaderSize = 2048;

/** A fresh 16-byte file key. Secret; the caller wipes it. */
export function createFileKey(): Uint8Array {
  return randomBytes(fileKeySize);
}

/** The header that gives `fileKey` to `recipient` alone: an age file without its payload. */
export function sealHeader(fileKey: Uint8Array, recipient: Recipient): Uint8Array {
  return encodeHeader([wrapFileKey(fileKey, recipient)], fileKey);
}

/**
 * The header at the beginning of `bytes`, within the profile. Needs no identity; says nothing of
 * whom it opens for.
 *
 * @throws Failure `header/malformed`
 */
export function parseProfileHeader(bytes: Uint8Array): Header {
  const header = parseHeader(bytes.subarray(0, maxHeaderSize));
  const count = header.stanzas.filter((stanza) => parseHybrid(stanza) !== undefined).length;
  if (count !== 1 || header.stanzas.length !== 1) {
    throw new Failure(
      "header/malformed",
      `age header: it needs one stanza, of type ${hybridType}, and has ${String(header.stanzas.length)} stanzas`,
    );
  }
  return header;
}

/**
 * A header that stands alone, within the profile.
 *
 * @throws Failure `header/malformed`, also for bytes after it
 */
export function parseDetachedHeader(bytes: Uint8Array): Header {
  const header = parseProfileHeader(bytes);
  if (header.size !== bytes.length) {
    throw new Failure("header/malformed", "age header: bytes follow it");
  }
  return header;
}

/**
 * The 16-byte file key in a header. The caller wipes it.
 *
 * @throws Failure `header/no-match`, `header/altered`
 */
export function openProfileHeader(header: Header, identity: Identity): Uint8Array {
  return openHeader(header, (stanza) => unwrapFileKey(stanza, identity));
}
