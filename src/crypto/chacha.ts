import { sodium } from "./sodium.ts";

/** Bytes that {@link encryptChaCha} adds: the Poly1305 tag. */
export const tagSize = 16;

/**
 * ChaCha20-Poly1305 (RFC 8439 §2.8) without additional data: ciphertext and a 16-byte tag.
 *
 * @param secret - 32 bytes
 * @param nonce - 12 bytes, never used twice with one `secret`
 */
export function encryptChaCha(
  secret: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, null, null, nonce, secret);
}

/** What {@link encryptChaCha} encrypted, or undefined if the tag doesn't match. */
export function decryptChaCha(
  secret: Uint8Array,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array | undefined {
  if (ciphertext.length < tagSize) return undefined;
  try {
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, ciphertext, null, nonce, secret);
  } catch {
    return undefined;
  }
}
