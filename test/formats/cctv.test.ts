import { describe, expect, it } from "vitest";
import { hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/digest.ts";
import { decodeIdentity, type Identity } from "../../src/crypto/identity.ts";
import type { FailureCode } from "../../src/failure.ts";
import { openHeader, parseHeader, type Stanza } from "../../src/formats/age/header.ts";
import { unwrapFileKey } from "../../src/formats/age/hybrid.ts";
import {
  openProfileHeader,
  parseDetachedHeader,
  parseProfileHeader,
} from "../../src/formats/age/profile.ts";
import { decryptPayload } from "../../src/formats/age/stream.ts";
import { corpus, type CorpusVector, type Expectation } from "./cctv-corpus.ts";
import { outcomeOf } from "./failure-code.ts";
import { unwrapX25519 } from "./x25519-unwrap.ts";

const codes: Record<Exclude<Expectation, "armor failure">, FailureCode | "success"> = {
  success: "success",
  "no match": "header/no-match",
  "HMAC failure": "header/altered",
  "header failure": "header/malformed",
  "payload failure": "payload/altered",
};

/**
 * The corpus counts the payload's nonce to the header. Here it is the payload's: headers stand
 * in files of their own, and end with the line of the MAC.
 */
const nonceIsPayload = ["stream_no_nonce", "stream_short_nonce"];

const armoured = corpus.filter((vector) => vector.armoured);
const scrypt = corpus.filter((vector) => vector.passphrase && !vector.armoured);
const judged = corpus.filter((vector) => !vector.armoured && !vector.passphrase);

function hybridIdentities(vector: CorpusVector): Identity[] {
  return vector.identities
    .filter((text) => text.startsWith("AGE-SECRET-KEY-PQ-1"))
    .map((text) => decodeIdentity(utf8(text), "the corpus's identity"));
}

function unwrapWith(vector: CorpusVector): (stanza: Stanza) => Uint8Array | undefined {
  const hybrid = hybridIdentities(vector);
  const classical = vector.identities.filter((text) => text.startsWith("AGE-SECRET-KEY-1"));
  return (stanza) => {
    for (const identity of hybrid) {
      const fileKey = unwrapFileKey(stanza, identity);
      if (fileKey !== undefined) return fileKey;
    }
    for (const identity of classical) {
      const fileKey = unwrapX25519(stanza, identity);
      if (fileKey !== undefined) return fileKey;
    }
    return undefined;
  };
}

function decrypt(vector: CorpusVector): Uint8Array {
  const header = parseHeader(vector.file);
  const fileKey = openHeader(header, unwrapWith(vector));
  return decryptPayload(fileKey, vector.file.subarray(header.size));
}

const counts = (vectors: readonly CorpusVector[]): Record<string, number> =>
  Object.fromEntries(
    Object.entries(Object.groupBy(vectors, (vector) => vector.expect)).map(([key, group]) => [
      key,
      group.length,
    ]),
  );

describe("the CCTV age corpus", () => {
  it("has 143 vectors: 85 judge us, 33 are armoured, 25 are for passphrases", () => {
    expect([corpus.length, judged.length, armoured.length, scrypt.length]).toEqual([
      143, 85, 33, 25,
    ]);
    expect(judged.filter(({ identities }) => identities.length === 0)).toHaveLength(1);
    expect(judged.filter((vector) => hybridIdentities(vector).length > 0)).toHaveLength(18);
    expect(counts(judged)).toEqual({
      success: 18,
      "no match": 8,
      "HMAC failure": 1,
      "header failure": 40,
      "payload failure": 18,
    });
  });

  for (const vector of judged) {
    it(`ends as it expects, ${vector.expect}: ${vector.name}`, () => {
      const expected = nonceIsPayload.includes(vector.name)
        ? "payload/altered"
        : codes[vector.expect as keyof typeof codes];
      expect(outcomeOf(() => decrypt(vector))).toBe(expected);
      if (expected === "success") expect(hex(sha256(decrypt(vector)))).toBe(vector.payload);
    });
  }
});

describe("families of the corpus that are refused by design", () => {
  it("refuses all 33 armoured files: there is one spelling, the binary one", () => {
    for (const vector of armoured) {
      expect([vector.name, outcomeOf(() => parseHeader(vector.file))]).toEqual([
        vector.name,
        "header/malformed",
      ]);
    }
  });

  it("skips the stanza of the 25 files for passphrases as one of an unknown type", () => {
    // That a scrypt stanza must stand alone is known only to whoever knows scrypt.
    for (const vector of scrypt) {
      // One of them has a body that no stanza of any type may have.
      expect([vector.name, outcomeOf(() => decrypt(vector))]).toEqual([
        vector.name,
        vector.name === "scrypt_not_canonical_body" ? "header/malformed" : "header/no-match",
      ]);
      expect(outcomeOf(() => parseProfileHeader(vector.file))).toBe("header/malformed");
    }
  });
});

describe("the profile over the whole corpus", () => {
  const passing = corpus.filter(
    (vector) => outcomeOf(() => parseProfileHeader(vector.file)) === "success",
  );

  it("accepts the 7 headers with one well-formed hybrid stanza", () => {
    expect(passing.map(({ name }) => name)).toEqual([
      "hybrid",
      "hybrid_bad_tag",
      "hybrid_currupted_enc_mlkem",
      "hybrid_currupted_enc_x25519",
      "hybrid_identity",
      "hybrid_low_order",
      "hybrid_no_match",
    ]);
  });

  it("refuses 136: armour 33, scrypt 25, no hybrid stanza 67, a malformed one 8, several stanzas 3", () => {
    const hybrid = judged.filter((vector) => hybridIdentities(vector).length > 0);
    const refused = hybrid.filter((vector) => !passing.includes(vector));
    const several = ["hybrid_and_x25519", "hybrid_grease", "hybrid_multiple_recipients"];
    expect(refused.filter(({ name }) => several.includes(name))).toHaveLength(3);
    expect(refused.filter(({ name }) => !several.includes(name))).toHaveLength(8);
    expect(judged.length - hybrid.length).toBe(67);
    expect(33 + 25 + 67 + 8 + 3 + passing.length).toBe(corpus.length);
  });

  it("opens those as the corpus expects", () => {
    for (const vector of passing) {
      const [identity] = hybridIdentities(vector);
      if (identity === undefined) throw new Error("internal: a vector without identity");
      const run = (): unknown => openProfileHeader(parseProfileHeader(vector.file), identity);
      expect([vector.name, outcomeOf(run)]).toEqual([
        vector.name,
        codes[vector.expect as keyof typeof codes],
      ]);
    }
  });

  it("takes none of them for a header that stands alone: payloads follow", () => {
    for (const vector of corpus) {
      expect(outcomeOf(() => parseDetachedHeader(vector.file))).toBe("header/malformed");
    }
  });
});
