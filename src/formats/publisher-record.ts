import * as z from "zod/mini";
import { concatBytes, utf8 } from "../crypto/bytes.ts";
import { decodeBase64 } from "../crypto/base64.ts";
import { verifyEd25519 } from "../crypto/ed25519.ts";
import { Failure } from "../failure.ts";
import { signWith, type CacheKey, type PublicCacheKey } from "./cache-key.ts";
import { decodeRecord, encodeRecord } from "./canonical.ts";

/** What only whoever published a store path knows of it (docs/publisher-records.md). */
export type PublisherRecord = z.infer<typeof PublisherRecord>;

const cveField = z.string().check(z.regex(/^CVE-[0-9]{4}-[0-9]{4,9}$/u, "is no CVE id"));

const PublisherRecord = z.strictObject({
  /** `/nix/store/HASH-NAME`. */
  path: z
    .string()
    .check(z.regex(/^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[\w+.?=-]{1,211}$/u, "is no store path")),
  name: z.string(),
  version: z.optional(z.string()),
  /** In the order in which they are applied, with the CVE ids that their names say they mend. */
  patches: z.array(z.strictObject({ name: z.string(), fixes: z.array(cveField) })),
  /** CVE ids that any of it is said to mend. */
  fixes: z.array(cveField),
  /** URLs. */
  sources: z.array(z.string()),
  licence: z.optional(z.string()),
});

/** As it lies in a cache: the record's own bytes as text, and who signed them. */
const Envelope = z.strictObject({
  record: z.string(),
  /** `NAME:BASE64`, as narinfos have them. */
  signatures: z.array(z.string()),
});

const maxSize = 1024 * 1024;

/** Before what is signed, so that no signature of a narinfo is one of a record, nor the other way. */
const context = utf8("sealaunch publisher record 1\n");

/** The name in a cache under which a store path's record lies, beside its narinfo. */
export function publisherRecordKey(storePath: string): string {
  return `${storePath.slice("/nix/store/".length, "/nix/store/".length + 32)}.sealaunch`;
}

/** The bytes of a record with a signature of each key. Its fields must stand in the order of the type. */
export function signPublisherRecord(
  record: PublisherRecord,
  keys: readonly CacheKey[],
): Uint8Array {
  const bytes = encodeRecord(record);
  const signed = concatBytes(context, bytes);
  return encodeRecord({
    record: new TextDecoder().decode(bytes),
    signatures: keys.map((key) => signWith(key, signed)),
  });
}

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
  requireSigned(concatBytes(context, text), signatures, keys, what);
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
