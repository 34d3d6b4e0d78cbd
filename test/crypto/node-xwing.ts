import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";

// X-Wing (draft-connolly-cfrg-xwing-kem, §5) once more, over Node's own OpenSSL: ML-KEM-768, X25519
// and SHA3-256, put together as the draft puts them. The second opinion on libsodium's.

const prefixes = {
  mlkemSeed: Buffer.from("3054020100300b060960864801650304040204428040", "hex"),
  mlkemPublic: Buffer.from("308204b2300b0609608648016503040402038204a100", "hex"),
  x25519Private: Buffer.from("302e020100300506032b656e04220420", "hex"),
  x25519Public: Buffer.from("302a300506032b656e032100", "hex"),
};
const label = Buffer.from("\\.//^\\");

function privateKey(prefix: Buffer, bytes: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([prefix, bytes]), format: "der", type: "pkcs8" });
}

function publicKey(prefix: Buffer, bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([prefix, bytes]), format: "der", type: "spki" });
}

function rawPublic(prefix: Buffer, key: KeyObject): Buffer {
  const half = key.type === "private" ? createPublicKey(key) : key;
  return half.export({ format: "der", type: "spki" }).subarray(prefix.length);
}

function expand(seed: Uint8Array): { mlkem: KeyObject; x25519: KeyObject } {
  const expanded = createHash("shake256", { outputLength: 96 }).update(seed).digest();
  return {
    mlkem: privateKey(prefixes.mlkemSeed, expanded.subarray(0, 64)),
    x25519: privateKey(prefixes.x25519Private, expanded.subarray(64)),
  };
}

function combine(mlkem: Buffer, x25519: Buffer, share: Uint8Array, recipient: Uint8Array): Buffer {
  const hash = createHash("sha3-256");
  for (const part of [mlkem, x25519, share, recipient, label]) hash.update(part);
  return hash.digest();
}

/** The 1216-byte public key of a 32-byte seed. */
export function nodePublicKey(seed: Uint8Array): Buffer {
  const { mlkem, x25519 } = expand(seed);
  const classical = rawPublic(prefixes.x25519Public, x25519);
  return Buffer.concat([rawPublic(prefixes.mlkemPublic, mlkem), classical]);
}

/** The shared secret that 1120 bytes of ciphertext carry for a seed. */
export function nodeDecapsulate(ciphertext: Uint8Array, seed: Uint8Array): Buffer {
  const { mlkem, x25519 } = expand(seed);
  const share = ciphertext.subarray(1088);
  return combine(
    decapsulate(mlkem, ciphertext.subarray(0, 1088)),
    diffieHellman({ privateKey: x25519, publicKey: publicKey(prefixes.x25519Public, share) }),
    share,
    rawPublic(prefixes.x25519Public, x25519),
  );
}

/** A fresh shared secret, and the 1120 bytes that carry it to a 1216-byte public key. */
export function nodeEncapsulate(recipient: Uint8Array): {
  sharedSecret: Buffer;
  ciphertext: Buffer;
} {
  const { sharedKey, ciphertext } = encapsulate(
    publicKey(prefixes.mlkemPublic, recipient.subarray(0, 1184)),
  );
  const ephemeral = generateKeyPairSync("x25519");
  const share = rawPublic(prefixes.x25519Public, ephemeral.publicKey);
  const classical = recipient.subarray(1184);
  const secret = diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: publicKey(prefixes.x25519Public, classical),
  });
  return {
    sharedSecret: combine(sharedKey, secret, share, classical),
    ciphertext: Buffer.concat([ciphertext, share]),
  };
}
