import { concatBytes, wipe } from "../crypto/bytes.ts";
import { decodeIdentity, encodeIdentity, type Identity } from "../crypto/identity.ts";
import type { Recipient } from "../crypto/recipient.ts";
import { Failure } from "../failure.ts";
import { createFileKey, openProfileHeader, parseProfileHeader, sealHeader } from "./age/profile.ts";
import { decryptPayload, encryptPayload } from "./age/stream.ts";

/** An entry is at most this many bytes. */
export const maxEntrySize = 4096;

/** The entry that gives the pool identity `pool` to `recipient`: a whole age file (§5). */
export function sealEntry(pool: Identity, recipient: Recipient): Uint8Array {
  const fileKey = createFileKey();
  const line = encodeIdentity(pool);
  try {
    return concatBytes(sealHeader(fileKey, recipient), encryptPayload(fileKey, line));
  } finally {
    wipe(fileKey, line);
  }
}

/** Beyond its header: a nonce, the line of an identity, a tag. */
const bodySize = 16 + 77 + 16;

/**
 * Returns if `bytes` have the form of an entry, which is all that can be told without an identity.
 *
 * @throws Failure `header/malformed`; `payload/altered` if something was added or cut off
 */
export function checkEntryForm(bytes: Uint8Array): void {
  const size = headerSize(bytes);
  if (bytes.length === size + bodySize) return;
  throw new Failure(
    "payload/altered",
    `it has ${String(bytes.length)} bytes, and should have ${String(size + bodySize)}`,
    `${mended}; tools that mend ends of files must leave keys/ and secrets/ alone`,
  );
}

// That it is there is why `sealaunch rewrap` alone leaves it as it is.
const mended =
  "take it back from where it was whole, or write it anew with 'sealaunch rewrap --all'";

function headerSize(bytes: Uint8Array): number {
  try {
    return parseProfileHeader(bytes).size;
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.code, error.message, mended) : error;
  }
}

/**
 * The pool identity in an entry. The caller wipes its seed.
 *
 * No signature is needed: the signed pool file names the whole recipient, and nobody can make
 * another identity with the same one (§5).
 *
 * @param expected - the recipient that the pool file names for the entry's epoch
 * @throws Failure `header/…`, `payload/altered`, `identity/malformed` if it is no entry for
 *   `identity`; `entry/mismatch` if it opens to the identity of another recipient
 */
export function openEntry(bytes: Uint8Array, identity: Identity, expected: Recipient): Identity {
  const header = parseProfileHeader(bytes);
  const fileKey = openProfileHeader(header, identity);
  const line = decryptPayload(fileKey, bytes.subarray(header.size));
  wipe(fileKey);
  try {
    const pool = decodeIdentity(line, "entry's plaintext");
    if (pool.recipient === expected) return pool;
    wipe(pool.seed);
    throw new Failure(
      "entry/mismatch",
      `entry opens to ${pool.recipient.slice(0, 20)}…, the pool file names ${expected.slice(0, 20)}…`,
    );
  } finally {
    wipe(line);
  }
}
