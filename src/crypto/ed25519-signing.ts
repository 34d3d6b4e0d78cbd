import { createPrivateKey, createPublicKey, sign } from "node:crypto";

// Node's own, not libsodium: who fills a cache signs, and needs nothing else of it, which takes longer
// to load than a hundred signatures to make.

/** PKCS #8 of an Ed25519 key, before its seed (RFC 8410 §7). */
const prefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** Signs with an Ed25519 key: the 64 bytes over a message (RFC 8032 §5.1.6). */
export type SignEd25519 = (message: Uint8Array) => Uint8Array;

/**
 * What signs with `secret`, a seed of 32 bytes with its public half of 32 bytes behind it; undefined if
 * that half is another's.
 */
export function ed25519Signer(secret: Uint8Array): SignEd25519 | undefined {
  if (secret.length !== 64) return undefined;
  const key = createPrivateKey({
    key: Buffer.concat([prefix, secret.subarray(0, 32)]),
    format: "der",
    type: "pkcs8",
  });
  const open = createPublicKey(key).export({ format: "der", type: "spki" });
  if (!open.subarray(-32).equals(secret.subarray(32))) return undefined;
  return (message) => new Uint8Array(sign(null, message, key));
}
