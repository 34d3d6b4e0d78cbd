import { describe, expect, it } from "vitest";
import { fromHex, hex, randomBytes } from "../../src/crypto/bytes.ts";
import { xwingDecapsulate, xwingEncapsulate, xwingPublicKey } from "../../src/crypto/xwing.ts";
import { nodeDecapsulate, nodeEncapsulate, nodePublicKey } from "./node-xwing.ts";
import { readTestData, withoutTestData } from "./test-data.ts";

const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : hex(bytes);

describe("X-Wing, beside Node's own OpenSSL", () => {
  const seeds = Array.from({ length: 20 }, () => randomBytes(32));

  it("gives the same public keys", () => {
    for (const seed of seeds) expect(text(xwingPublicKey(seed))).toBe(text(nodePublicKey(seed)));
  });

  it("encapsulates what OpenSSL decapsulates", () => {
    for (const seed of seeds) {
      const share = xwingEncapsulate(xwingPublicKey(seed));
      if (share === undefined) throw new Error("internal: a valid key was refused");
      expect(text(nodeDecapsulate(share.ciphertext, seed))).toBe(text(share.sharedSecret));
    }
  });

  it("decapsulates what OpenSSL encapsulates", () => {
    for (const seed of seeds) {
      const share = nodeEncapsulate(nodePublicKey(seed));
      expect(text(xwingDecapsulate(share.ciphertext, seed))).toBe(text(share.sharedSecret));
    }
  });

  it("rejects an altered ciphertext implicitly, with the same other secret as OpenSSL", () => {
    for (const seed of seeds) {
      const { ciphertext, sharedSecret } = nodeEncapsulate(nodePublicKey(seed));
      ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
      expect(text(xwingDecapsulate(ciphertext, seed))).toBe(
        text(nodeDecapsulate(ciphertext, seed)),
      );
      expect(text(xwingDecapsulate(ciphertext, seed))).not.toBe(text(sharedSecret));
    }
  });
});

describe("what X-Wing refuses", () => {
  const seed = new Uint8Array(32).fill(7);
  const publicKey = xwingPublicKey(seed);

  it("encapsulates to no key whose ML-KEM half is not reduced", () => {
    // Twelve bits of ones are 4095, and coefficients are below 3329.
    const unreduced = publicKey.slice();
    unreduced.fill(0xff, 0, 2);
    expect(xwingEncapsulate(unreduced)).toBeUndefined();
  });

  it("encapsulates to no key whose X25519 half has a low order", () => {
    for (const lowOrder of [0, 1]) {
      const weak = publicKey.slice();
      weak.fill(0, 1184).fill(lowOrder, 1184, 1185);
      expect(xwingEncapsulate(weak)).toBeUndefined();
    }
  });

  it("decapsulates no share of low order", () => {
    const { ciphertext } = nodeEncapsulate(publicKey);
    ciphertext.fill(0, 1088);
    expect(xwingDecapsulate(ciphertext, seed)).toBeUndefined();
  });

  it("takes keys and ciphertexts of no other size", () => {
    for (const size of [0, 1, 1215, 1217]) {
      expect(xwingEncapsulate(new Uint8Array(size))).toBeUndefined();
    }
    for (const size of [0, 1, 1119, 1121]) {
      expect(xwingDecapsulate(new Uint8Array(size), seed)).toBeUndefined();
    }
  });
});

describe.skipIf(withoutTestData)(
  `X-Wing, the draft's vectors (${withoutTestData ?? "all"})`,
  () => {
    interface Vector {
      readonly seed: string;
      readonly pk: string;
      readonly ct: string;
      readonly ss: string;
    }

    it("gives the draft's public keys and shared secrets, and so does OpenSSL", () => {
      const vectors = readTestData("crypto/xwing/test-vectors.json") as Vector[];
      expect(vectors).toHaveLength(3);
      for (const { seed, pk, ct, ss } of vectors) {
        expect(text(xwingPublicKey(fromHex(seed)))).toBe(pk);
        expect(text(nodePublicKey(fromHex(seed)))).toBe(pk);
        expect(text(xwingDecapsulate(fromHex(ct), fromHex(seed)))).toBe(ss);
        expect(text(nodeDecapsulate(fromHex(ct), fromHex(seed)))).toBe(ss);
      }
    });
  },
);
