import { randomBytes } from "node:crypto";
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { describe, expect, it } from "vitest";
import { concatBytes, textOf, utf8 } from "../../src/crypto/bytes.ts";
import { createIdentity, encodeIdentity, type Identity } from "../../src/crypto/identity.ts";
import {
  createFileKey,
  openProfileHeader,
  parseDetachedHeader,
  parseProfileHeader,
  sealHeader,
} from "../../src/formats/age/profile.ts";
import { decryptPayload, encryptPayload } from "../../src/formats/age/stream.ts";
import { openEntry, sealEntry } from "../../src/formats/entry.ts";
import { outcomeOf } from "./failure-code.ts";
import { sealSample } from "./samples.ts";

// The npm package is the second implementation of everything between a recipient's text and a
// payload's last chunk, HPKE included.

const identity = createIdentity();

function lineOf(from: Identity): string {
  return textOf(encodeIdentity(from)) ?? "";
}

async function decryptTheirs(file: Uint8Array, by: Identity): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(lineOf(by));
  return decrypter.decrypt(file);
}

async function encryptTheirs(plaintext: Uint8Array, ...recipients: string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(plaintext);
}

const chunk = 64 * 1024;
const sizes = [0, 1, 15, 16, 17, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 5];

describe("age-encryption", () => {
  it.each(sizes)("decrypts what we encrypt: %i bytes", async (size) => {
    const plaintext = randomBytes(size);
    const fileKey = createFileKey();
    const file = concatBytes(
      sealHeader(fileKey, identity.recipient),
      encryptPayload(fileKey, plaintext),
    );
    expect(Buffer.compare(await decryptTheirs(file, identity), plaintext)).toBe(0);
  });

  it.each(sizes)("encrypts what we decrypt: %i bytes", async (size) => {
    const plaintext = randomBytes(size);
    const file = await encryptTheirs(plaintext, identity.recipient);
    const header = parseProfileHeader(file);
    const fileKey = openProfileHeader(header, identity);
    const decrypted = decryptPayload(fileKey, file.subarray(header.size));
    expect(Buffer.compare(decrypted, plaintext)).toBe(0);
  });

  it("opens an entry of ours", async () => {
    const pool = createIdentity();
    const entry = sealEntry(pool, identity.recipient);
    expect(textOf(await decryptTheirs(entry, identity))).toBe(lineOf(pool));
  });

  it("makes an entry for us", async () => {
    const pool = createIdentity();
    const entry = await encryptTheirs(encodeIdentity(pool), identity.recipient);
    expect(openEntry(entry, identity, pool.recipient).seed).toEqual(pool.seed);
  });

  it("opens a credential, header and payload put together", async () => {
    const { header, payload, identity: pool, value } = sealSample();
    const plaintext = await decryptTheirs(concatBytes(header, payload.bytes), pool);
    const parsed = JSON.parse(textOf(plaintext) ?? "") as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual([
      "cluster",
      "bundle",
      "credential",
      "audience",
      "value",
      "padding",
    ]);
    expect(parsed["value"]).toBe(Buffer.from(value).toString("base64"));
  });

  it("opens a header that stands alone", async () => {
    const fileKey = createFileKey();
    const decrypter = new Decrypter();
    decrypter.addIdentity(lineOf(identity));
    const opened = await decrypter.decryptHeader(sealHeader(fileKey, identity.recipient));
    expect(new Uint8Array(opened)).toEqual(fileKey);
  });

  it("writes files for two, which are outside our profile", async () => {
    const file = await encryptTheirs(utf8("x"), identity.recipient, createIdentity().recipient);
    expect(outcomeOf(() => parseProfileHeader(file))).toBe("header/malformed");
  });

  it("writes files for X25519 recipients, which are outside our profile", async () => {
    const classical = await identityToRecipient(await generateX25519Identity());
    const file = await encryptTheirs(utf8("x"), classical);
    expect(outcomeOf(() => parseProfileHeader(file))).toBe("header/malformed");
  });
});

describe("a header", () => {
  it("opens for nobody else", () => {
    const header = parseDetachedHeader(sealHeader(createFileKey(), identity.recipient));
    expect(outcomeOf(() => openProfileHeader(header, createIdentity()))).toBe("header/no-match");
  });

  it("is far below its limit", () => {
    expect(sealHeader(createFileKey(), identity.recipient).length).toBeLessThan(1700);
  });
});
