import { randomFillSync } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, hex, textOf, utf8 } from "../../src/crypto/bytes.ts";
import { createIdentity } from "../../src/crypto/identity.ts";
import { encodeHeader, openHeader, parseHeader } from "../../src/formats/age/header.ts";
import { createFileKey } from "../../src/formats/age/profile.ts";
import { decryptPayload, encryptPayload } from "../../src/formats/age/stream.ts";
import { openEntry, sealEntry } from "../../src/formats/entry.ts";
import {
  maxPayloadSize,
  maxValueSize,
  openPayload,
  sealPayload,
} from "../../src/formats/payload.ts";
import { decodeCard, encodeCard } from "../../src/formats/records/card.ts";
import {
  decodeMembers,
  decodePool,
  encodeMembers,
  encodePool,
} from "../../src/formats/records/pool.ts";
import { decodeRoster, encodeRoster } from "../../src/formats/records/roster.ts";
import { decodeStatement, encodeStatement } from "../../src/formats/records/statement.ts";
import {
  encodeArmour,
  namespaces,
  parseSignature,
  verifySignature,
  type SignedType,
} from "../../src/formats/sshsig/signature.ts";
import { count, seed } from "../soak.ts";
import {
  anyBinding,
  anyCard,
  anyMembers,
  anyPool,
  anyRoster,
  anyStatement,
} from "./arbitraries.ts";
import { outcomeOf } from "./failure-code.ts";
import { sampleBinding, testSigner } from "./samples.ts";
import { armouredSignature, signatureBlob } from "./sshsig-maker.ts";

const runs = { seed, numRuns: count(1000) };

function random(size: number): Uint8Array {
  return randomFillSync(new Uint8Array(size));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The largest value that fits a size class with the sample's binding. */
function largestIn(sizeClass: number): number {
  const around = JSON.stringify({ ...sampleBinding, value: "", padding: "" }).length;
  return Math.floor((sizeClass - around) / 4) * 3;
}

describe("a credential", () => {
  it("opens to what was sealed, whatever it is", () => {
    fc.assert(
      fc.property(anyBinding, fc.uint8Array({ maxLength: 3000 }), (binding, value) => {
        const sealed = sealPayload(binding, value);
        expect(same(openPayload(sealed.bytes, sealed.fileKey, sealed, binding), value)).toBe(true);
      }),
      runs,
    );
  });

  const classes = Array.from({ length: 11 }, (_, power) => 1024 << power);
  it.each(classes)("opens to what was sealed around the boundary of class %i", (sizeClass) => {
    for (const [size, expected] of [
      [largestIn(sizeClass) - 1, sizeClass],
      [largestIn(sizeClass), sizeClass],
      [largestIn(sizeClass) + 1, sizeClass * 2],
    ] as const) {
      const value = random(size);
      const sealed = sealPayload(sampleBinding, value);
      expect(sealed.sizeClass).toBe(expected);
      expect(sealed.bytes.length).toBe(16 + expected + 16 * Math.ceil(expected / 65536));
      const opened = openPayload(sealed.bytes, sealed.fileKey, sealed, sampleBinding);
      expect(same(opened, value)).toBe(true);
    }
  });

  it.each([0, 1, 2, 3, 65535, 65536, maxValueSize - 1, maxValueSize])(
    "may have %i bytes",
    (size) => {
      const value = random(size);
      const sealed = sealPayload(sampleBinding, value);
      const opened = openPayload(sealed.bytes, sealed.fileKey, sealed, sampleBinding);
      expect(same(opened, value)).toBe(true);
      expect(sealed.bytes.length).toBeLessThanOrEqual(maxPayloadSize);
    },
  );

  it("may have a mebibyte and be for 64 pools of the longest names", () => {
    const audience = Array.from(
      { length: 64 },
      (_, index) => `p${String(index).padStart(127, "0")}`,
    );
    const binding = { ...sampleBinding, audience };
    const value = random(maxValueSize);
    const sealed = sealPayload(binding, value);
    expect(same(openPayload(sealed.bytes, sealed.fileKey, sealed, binding), value)).toBe(true);
  });

  it("is refused over a mebibyte", () => {
    const value = new Uint8Array(maxValueSize + 1);
    expect(outcomeOf(() => sealPayload(sampleBinding, value))).toBe("credential/too-large");
  });

  it("leaves the value that was sealed as it was", () => {
    const value = random(100);
    const before = value.slice();
    sealPayload(sampleBinding, value);
    expect(same(value, before)).toBe(true);
  });

  it("is never sealed twice to the same bytes, nor under the same file key", () => {
    const [a, b] = [0, 1].map(() => sealPayload(sampleBinding, utf8("x")));
    expect(a?.hash).not.toBe(b?.hash);
    expect(a?.commitment).not.toBe(b?.commitment);
  });

  it("is refused with any bit flipped, even where the statement names the altered bytes' hash", () => {
    const sealed = sealPayload(sampleBinding, utf8("x"));
    fc.assert(
      fc.property(fc.nat({ max: sealed.bytes.length * 8 - 1 }), (bit) => {
        const bytes = sealed.bytes.slice();
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const open = (): unknown => openPayload(bytes, sealed.fileKey, sealed, sampleBinding);
        expect(outcomeOf(open)).toBe("payload/hash");
        expect(outcomeOf(() => decryptPayload(sealed.fileKey, bytes))).toBe("payload/altered");
      }),
      runs,
    );
  });
});

describe("what is written parses, and encodes back to the same bytes", () => {
  function holds<T>(
    arbitrary: fc.Arbitrary<T>,
    encode: (record: T) => Uint8Array,
    decode: (bytes: Uint8Array) => T,
  ): void {
    fc.assert(
      fc.property(arbitrary, (record) => {
        const bytes = encode(record);
        const decoded = decode(bytes);
        expect(decoded).toEqual(record);
        expect(hex(encode(decoded))).toBe(hex(bytes));
      }),
      runs,
    );
  }

  it("as a card", () => {
    holds(anyCard, encodeCard, decodeCard);
  });

  it("as a roster", () => {
    holds(anyRoster, encodeRoster, decodeRoster);
  });

  it("as a pool file", () => {
    holds(anyPool, encodePool, decodePool);
  });

  it("as a member list", () => {
    holds(anyMembers, encodeMembers, decodeMembers);
  });

  it("as a statement", () => {
    holds(anyStatement, encodeStatement, decodeStatement);
  });

  it("as a header of any stanzas, whatever follows it", () => {
    const argument = fc.stringMatching(/^[!-~]{1,20}$/u);
    const stanza = fc.record({
      args: fc.array(argument, { minLength: 1, maxLength: 4 }),
      body: fc.uint8Array({ maxLength: 150 }),
    });
    const stanzas = fc.array(stanza, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(stanzas, fc.uint8Array({ maxLength: 40 }), (written, tail) => {
        const fileKey = createFileKey();
        const bytes = encodeHeader(written, fileKey);
        const header = parseHeader(concatBytes(bytes, tail));
        expect(header.size).toBe(bytes.length);
        expect(header.stanzas).toEqual(written);
        expect(hex(encodeHeader(header.stanzas, fileKey))).toBe(hex(bytes));
        expect(openHeader(header, () => fileKey.slice())).toEqual(fileKey);
      }),
      runs,
    );
  });

  it("as a payload of any size around its chunks'", () => {
    const sizes = fc.oneof(fc.nat({ max: 200 }), fc.integer({ min: 65_530, max: 65_540 }));
    fc.assert(
      fc.property(sizes, (size) => {
        const fileKey = createFileKey();
        const plaintext = random(size);
        expect(same(decryptPayload(fileKey, encryptPayload(fileKey, plaintext)), plaintext)).toBe(
          true,
        );
      }),
      { ...runs, numRuns: count(200) },
    );
  });

  it("as an entry", () => {
    for (let run = 0; run < count(50); run++) {
      const [pool, member] = [createIdentity(), createIdentity()];
      const entry = sealEntry(pool, member.recipient);
      expect(openEntry(entry, member, pool.recipient)).toEqual(pool);
    }
  });

  it("as a signature in its armour, over any message", () => {
    const signers = [testSigner("alice"), testSigner("security key", "ssh:")];
    const parts = fc.record({
      message: fc.uint8Array({ maxLength: 300 }),
      type: fc.constantFrom<SignedType>("bundle", "roster", "pool", "card", "inventory"),
      by: fc.constantFrom(...signers),
      hash: fc.constantFrom("sha256", "sha512"),
      flags: fc.constantFrom(1, 5),
      counter: fc.nat(),
    });
    fc.assert(
      fc.property(parts, ({ message, type, by, ...given }) => {
        const armoured = armouredSignature(by, message, namespaces[type], given);
        const signature = parseSignature(armoured);
        expect(verifySignature(signature, message, type)).toBe(by.signer);
        expect(signature.hashAlgorithm).toBe(given.hash);
        const again = encodeArmour(signatureBlob(by, message, namespaces[type], given));
        expect(textOf(again)).toBe(textOf(armoured));
      }),
      runs,
    );
  });
});
