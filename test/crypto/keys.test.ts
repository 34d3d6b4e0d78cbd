import { bech32 } from "@scure/base";
import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { describe, expect, it } from "vitest";
import { textOf, utf8 } from "../../src/crypto/bytes.ts";
import {
  createIdentity,
  decodeIdentity,
  encodeIdentity,
  identityOfSeed,
  parseIdentityFile,
} from "../../src/crypto/identity.ts";
import { keyOfRecipient, parseRecipient, recipientOfKey } from "../../src/crypto/recipient.ts";
import { isUsable } from "../../src/crypto/xwing.ts";
import { Failure } from "../../src/failure.ts";

const identity = identityOfSeed(new Uint8Array(32).fill(3));
const line = textOf(encodeIdentity(identity)) ?? "";

function refusesIdentity(text: string): void {
  expect(() => decodeIdentity(utf8(text), "it")).toThrow(Failure);
  expect(() => decodeIdentity(utf8(text), "it")).toThrow(
    expect.objectContaining({ code: "identity/malformed" }),
  );
}

describe("identities and recipients, beside age-encryption", () => {
  it("gives age's recipient for age's identity, and spells both as age does", async () => {
    for (let count = 0; count < 10; count++) {
      const theirs = await generateHybridIdentity();
      const ours = decodeIdentity(utf8(theirs), "it");
      expect(ours.recipient).toBe(await identityToRecipient(theirs));
      expect(textOf(encodeIdentity(ours))).toBe(theirs);
    }
  });

  it("makes identities that age understands", async () => {
    const ours = createIdentity();
    expect(await identityToRecipient(textOf(encodeIdentity(ours)) ?? "")).toBe(ours.recipient);
  });
});

describe("an identity", () => {
  it.each([
    ["lower case", line.toLowerCase()],
    ["mixed case", line.replace("AGE", "age")],
    ["mixed case in the data", line.replace(/[A-Z](?=[^A-Z]*$)/u, (last) => last.toLowerCase())],
    ["a cut", line.slice(0, -1)],
    ["a wrong letter", line.slice(0, -1) + (line.endsWith("Q") ? "P" : "Q")],
    ["a blank in front", ` ${line}`],
    ["a newline behind", `${line}\n`],
    ["nothing", ""],
    ["no prefix", line.slice(line.lastIndexOf("1"))],
    ["a letter that Bech32 hasn't", line.replace(/.$/u, "B")],
    ["something that is no text", "\u{fffd}"],
  ])("is refused with %s", (_, text) => {
    refusesIdentity(text);
  });

  it("is refused with another prefix, as age's X25519 identities have", async () => {
    refusesIdentity(await generateX25519Identity());
    refusesIdentity(
      bech32.encode("AGE-SECRET-KEY-PQX-", bech32.toWords(identity.seed)).toUpperCase(),
    );
  });

  it("is refused with 31 or 33 bytes", () => {
    for (const size of [0, 31, 33]) {
      const words = bech32.toWords(new Uint8Array(size));
      refusesIdentity(bech32.encode("AGE-SECRET-KEY-PQ-", words, false).toUpperCase());
    }
  });

  it("is refused with bits set that no byte uses", () => {
    const words = bech32.toWords(identity.seed);
    words[words.length - 1] = (words.at(-1) ?? 0) | 1;
    refusesIdentity(bech32.encode("AGE-SECRET-KEY-PQ-", words, false).toUpperCase());
  });

  it("is never quoted by what refuses it", () => {
    for (const text of [line.toLowerCase(), line.slice(0, -1), `${line}\n${line}`]) {
      try {
        parseIdentityFile(utf8(text), "the file");
        expect.unreachable();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        expect(`${error.message} ${error.hint}`.toLowerCase()).not.toContain(
          line.toLowerCase().slice(20, 40),
        );
      }
    }
  });
});

describe("an identity file", () => {
  it("may have comments, blank lines and CRLF, as age-keygen and editors write them", () => {
    const text = `# created: 2026-11-25T12:00:00Z\r\n# public key: age1pq1…\r\n\r\n${line}\r\n`;
    expect(parseIdentityFile(utf8(text), "it").recipient).toBe(identity.recipient);
    expect(parseIdentityFile(utf8(line), "it").recipient).toBe(identity.recipient);
  });

  it.each([
    ["no identity", "# nothing\n"],
    ["two", `${line}\n${line}\n`],
    ["nothing", ""],
  ])("is refused with %s", (_, text) => {
    expect(() => parseIdentityFile(utf8(text), "it")).toThrow(
      expect.objectContaining({ code: "identity/malformed" }),
    );
  });

  it("is refused if it isn't UTF-8", () => {
    expect(() => parseIdentityFile(Uint8Array.of(0xff, 0xfe, 0x0a), "it")).toThrow(
      expect.objectContaining({ code: "identity/malformed" }),
    );
  });
});

describe("a recipient", () => {
  const { recipient } = identity;

  it("is its own spelling", () => {
    expect(parseRecipient(recipient)).toBe(recipient);
    expect(recipientOfKey(keyOfRecipient(recipient))).toBe(recipient);
  });

  it.each([
    ["upper case", recipient.toUpperCase()],
    ["mixed case", recipient.replace("age", "AGE")],
    ["a cut", recipient.slice(0, -1)],
    ["a wrong letter", recipient.slice(0, -1) + (recipient.endsWith("q") ? "p" : "q")],
    ["a blank", `${recipient} `],
    ["nothing", ""],
    ["an identity", line],
    ["another prefix", bech32.encode("age", bech32.toWords(keyOfRecipient(recipient)), false)],
    ["a byte too few", bech32.encode("age1pq", bech32.toWords(new Uint8Array(1215)), false)],
    ["a byte too many", bech32.encode("age1pq", bech32.toWords(new Uint8Array(1217)), false)],
  ])("is refused with %s", (_, text) => {
    expect(parseRecipient(text)).toBeUndefined();
  });

  it("is refused if it is one of age's X25519 recipients", async () => {
    const classical = await identityToRecipient(await generateX25519Identity());
    expect(parseRecipient(classical)).toBeUndefined();
  });

  it("is usable only with a valid key in it", () => {
    expect(isUsable(recipient)).toBe(true);
    expect(isUsable(recipientOfKey(new Uint8Array(1216).fill(0xff)))).toBe(false);
    expect(isUsable(recipientOfKey(new Uint8Array(1216)))).toBe(false);
  });
});
