import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, randomBytes } from "../../src/crypto/bytes.ts";
import { verifyEd25519 } from "../../src/crypto/ed25519.ts";
import { readTestData, withoutTestData } from "./test-data.ts";

const order = 2n ** 252n + 27742317777372353535851937790883648493n;

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function toLittleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse());
}

/** A key pair, its secret scalar reduced by the order of the group (RFC 8032 §5.1.5). */
function keyPair(): { publicKey: Uint8Array; scalar: bigint; sign: (m: Uint8Array) => Uint8Array } {
  const pair = generateKeyPairSync("ed25519");
  const seed = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const digest = createHash("sha512").update(seed).digest().subarray(0, 32);
  digest[0] = (digest[0] ?? 0) & 248;
  digest[31] = ((digest[31] ?? 0) & 63) | 64;
  return {
    publicKey: pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32),
    scalar: littleEndian(digest) % order,
    sign: (message) => sign(undefined, message, pair.privateKey),
  };
}

/** The points of small order, in every spelling of them (libsodium's own list has these). */
const smallOrder = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

describe("Ed25519", () => {
  const message = randomBytes(100);

  it("accepts what OpenSSL signs, and nothing with another bit", () => {
    const { publicKey, sign: signBytes } = keyPair();
    const signature = signBytes(message);
    expect(verifyEd25519(signature, message, publicKey)).toBe(true);
    for (let bit = 0; bit < 512; bit++) {
      const altered = signature.slice();
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyEd25519(altered, message, publicKey)).toBe(false);
    }
  });

  it("refuses S + L, which has the same meaning as S", () => {
    const { publicKey, sign: signBytes } = keyPair();
    const signature = signBytes(message);
    const malleated = toLittleEndian(littleEndian(signature.subarray(32)) + order);
    const twin = concatBytes(signature.subarray(0, 32), malleated);
    expect(verifyEd25519(twin, message, publicKey)).toBe(false);
  });

  it("refuses the key of order one, under which anybody can sign anything", () => {
    const anybody = keyPair();
    // S·B = R + k·A holds for every message where A is the neutral element and R = S·B.
    const forged = concatBytes(anybody.publicKey, toLittleEndian(anybody.scalar));
    const neutral = fromHex(smallOrder[0] ?? "");
    expect(verifyEd25519(forged, message, neutral)).toBe(false);
  });

  it("refuses every spelling of a key or of an R of small order", () => {
    const { publicKey, scalar } = keyPair();
    for (const point of smallOrder.map(fromHex)) {
      for (let attempt = 0; attempt < 16; attempt++) {
        // Among 16 messages k is a multiple of the point's order for about two, at least.
        const other = Uint8Array.of(attempt);
        const forged = concatBytes(publicKey, toLittleEndian(scalar));
        expect(verifyEd25519(forged, other, point)).toBe(false);
        expect(verifyEd25519(concatBytes(point, toLittleEndian(0n)), other, point)).toBe(false);
      }
    }
  });

  it("takes signatures and keys of no other size", () => {
    const { publicKey, sign: signBytes } = keyPair();
    const signature = signBytes(message);
    expect(verifyEd25519(signature.subarray(1), message, publicKey)).toBe(false);
    expect(verifyEd25519(concatBytes(signature, Uint8Array.of(0)), message, publicKey)).toBe(false);
    expect(verifyEd25519(signature, message, publicKey.subarray(1))).toBe(false);
    expect(verifyEd25519(signature, message, concatBytes(publicKey, publicKey))).toBe(false);
  });
});

describe.skipIf(withoutTestData)(
  `Ed25519, Wycheproof's vectors (${withoutTestData ?? "all"})`,
  () => {
    interface File {
      readonly testGroups: readonly {
        readonly publicKey: { readonly pk: string };
        readonly tests: readonly {
          readonly tcId: number;
          readonly msg: string;
          readonly sig: string;
          readonly result: "valid" | "invalid";
        }[];
      }[];
    }

    it("accepts the 88 valid ones, and none of the 63 invalid ones", () => {
      const { testGroups } = readTestData("crypto/wycheproof/ed25519_test.json") as File;
      const results = testGroups.flatMap(({ publicKey, tests }) =>
        tests.map(({ tcId, msg, sig, result }) => ({
          tcId,
          result,
          accepted: verifyEd25519(fromHex(sig), fromHex(msg), fromHex(publicKey.pk)),
        })),
      );
      expect(results.filter(({ result, accepted }) => accepted !== (result === "valid"))).toEqual(
        [],
      );
      expect(results.filter(({ accepted }) => accepted)).toHaveLength(88);
      expect(results.filter(({ accepted }) => !accepted)).toHaveLength(63);
    });
  },
);
