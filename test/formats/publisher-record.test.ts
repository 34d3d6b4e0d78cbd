import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { textOf, utf8 } from "../../src/crypto/bytes.ts";
import {
  parseCacheKey,
  parsePublicCacheKey,
  type PublicCacheKey,
} from "../../src/formats/cache-key.ts";
import {
  publisherRecordKey,
  signPublisherRecord,
  type PublisherRecord,
} from "../../src/formats/publisher-record.ts";
import { verifyPublisherRecord } from "../../src/formats/publisher-record-verifying.ts";
import { refusal } from "../fixtures/refusal.ts";

function keyPair(name: string): [ReturnType<typeof parseCacheKey>, PublicCacheKey] {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const open = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const secret = `${name}:${Buffer.concat([seed, open]).toString("base64")}\n`;
  const known = parsePublicCacheKey(`${name}:${open.toString("base64")}`);
  if (known === undefined) throw new Error("the key is none");
  return [parseCacheKey(utf8(secret), "the key"), known];
}

const [key, open] = keyPair("cache-1");
const [other, otherOpen] = keyPair("cache-2");
const [, sameName] = keyPair("cache-1");

const record: PublisherRecord = {
  path: `/nix/store/${"0".repeat(32)}-cpio-2.12`,
  name: "cpio",
  version: "2.12",
  patches: [{ name: "CVE-2015-1197-cpio-2.12.patch", fixes: ["CVE-2015-1197"] }],
  fixes: ["CVE-2015-1197"],
  sources: ["https://ftp.gnu.org/gnu/cpio/cpio-2.12.tar.bz2"],
};
const bytes = signPublisherRecord(record, [key, other]);
const verify = (changed: Uint8Array, keys = [open], path = record.path): PublisherRecord =>
  verifyPublisherRecord(changed, path, keys, "it");

describe("a publisher's record", () => {
  it("lies beside the narinfo, and says what was signed", () => {
    expect(publisherRecordKey(record.path)).toBe(`${"0".repeat(32)}.sealaunch`);
    expect(verify(bytes)).toEqual(record);
    expect(verify(bytes, [otherOpen])).toEqual(record);
    expect(verify(bytes, [sameName, open])).toEqual(record);
  });

  it("of somebody else is refused, and so is one that was altered", async () => {
    expect(await refusal(() => verify(bytes, []))).toBe("signature/unknown-signer");
    expect(await refusal(() => verify(bytes, [sameName]))).toBe("signature/invalid");
    const altered = utf8((textOf(bytes) ?? "").replace("2.12", "2.13"));
    expect(await refusal(() => verify(altered))).toBe("signature/invalid");
    const unsigned = signPublisherRecord(record, []);
    expect(await refusal(() => verify(unsigned))).toBe("signature/unknown-signer");
  });

  it("is one of its own path alone", async () => {
    const elsewhere = `/nix/store/${"1".repeat(32)}-cpio-2.12`;
    expect(await refusal(() => verify(bytes, [open], elsewhere))).toBe("cache/invalid");
  });

  it.for([
    ["no JSON", "hello"],
    ["another spelling", JSON.stringify(JSON.parse(textOf(bytes) ?? ""))],
    ["no record", '{\n  "signatures": []\n}\n'],
  ])("isn't %s", async ([, text = ""]) => {
    expect(await refusal(() => verify(utf8(text)))).toBe("cache/invalid");
  });

  it("that was signed, and isn't in the form, is refused", async () => {
    const strange = signPublisherRecord({ ...record, fixes: ["all"] }, [key]);
    expect(await refusal(() => verify(strange))).toBe("cache/invalid");
  });
});
