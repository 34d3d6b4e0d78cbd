import { sodium } from "./sodium.ts";

/**
 * Whether `signature` (64 bytes) over `message` verifies under `publicKey` (32 bytes), by
 * libsodium's rules: RFC 8032 §5.1.7 with canonical S and public keys, small orders refused.
 */
export function verifyEd25519(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}
