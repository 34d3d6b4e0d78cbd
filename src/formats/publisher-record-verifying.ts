import * as z from "zod/mini";
import { decodeBase64 } from "../crypto/base64.ts";
import { utf8 } from "../crypto/bytes.ts";
import { verifyEd25519 } from "../crypto/ed25519.ts";
import { Failure } from "../failure.ts";
import type { PublicCacheKey } from "./cache-key.ts";
import { decodeRecord } from "./canonical.ts";
import { PublisherRecord, signedOf } from "./publisher-record.ts";

/** As it lies in a cache: the record's own bytes as text, and who signed them. */
const Envelope = z.strictObject({
  record: z.string(),
  /** `NAME:BASE64`, as narinfos have them. */
  signatures: z.array(z.string()),
});

const maxSize = 1024 * 1024;

/**
 * What a cache's record says of `storePath`, which one of `keys` has signed.
 *
 * @param what - names it in the message
 * @throws Failure `cache/invalid` if it can't be read or is of another path; `signature/unknown-signer` if
 *   none of the keys has signed it; `signature/invalid` if one has, and other bytes
 */
export function verifyPublisherRecord(
  bytes: Uint8Array,
  storePath: string,
  keys: readonly PublicCacheKey[],
  what: string,
): PublisherRecord {
  const { record, signatures } = decodeRecord(bytes, Envelope, "cache/invalid", what, maxSize);
  const text = utf8(record);
  requireSigned(signedOf(text), signatures, keys, what);
  const found = decodeRecord(text, PublisherRecord, "cache/invalid", what, maxSize);
  if (found.path === storePath) return found;
  throw new Failure("cache/invalid", `${what} is of ${found.path}, not of ${storePath}`);
}

function requireSigned(
  signed: Uint8Array,
  signatures: readonly string[],
  keys: readonly PublicCacheKey[],
  what: string,
): void {
  let isKnown = false;
  for (const { name, key } of keys) {
    for (const signature of signatures) {
      if (!signature.startsWith(`${name}:`)) continue;
      isKnown = true;
      const bytes = decodeBase64(utf8(signature.slice(name.length + 1)));
      if (bytes !== undefined && verifyEd25519(bytes, signed, key)) return;
    }
  }
  const names = signatures.map((signature) => signature.split(":")[0] ?? "").join(", ");
  throw isKnown
    ? new Failure("signature/invalid", `${what}: the signature of ${names} doesn't verify`)
    : new Failure(
        "signature/unknown-signer",
        `${what} is signed by ${names === "" ? "nobody" : names}, not by ${keys.map(({ name }) => name).join(", ")}`,
        "publish it again with a key that is trusted here, or trust its key",
      );
}
