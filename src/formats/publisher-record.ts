import * as z from "zod/mini";
import { concatBytes, utf8 } from "../crypto/bytes.ts";
import { signWith, type CacheKey } from "./cache-key.ts";
import { encodeRecord } from "./canonical.ts";

/** What only whoever published a store path knows of it (docs/publisher-records.md). */
export type PublisherRecord = z.infer<typeof PublisherRecord>;

const cveField = z.string().check(z.regex(/^CVE-[0-9]{4}-[0-9]{4,9}$/u, "is no CVE id"));

export const PublisherRecord = z.strictObject({
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

/** Before what is signed, so that no signature of a narinfo is one of a record, nor the other way. */
const context = utf8("sealaunch publisher record 1\n");

/** What is signed of a record. */
export function signedOf(record: Uint8Array): Uint8Array {
  return concatBytes(context, record);
}

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
  const signed = signedOf(bytes);
  return encodeRecord({
    record: new TextDecoder().decode(bytes),
    signatures: keys.map((key) => signWith(key, signed)),
  });
}
