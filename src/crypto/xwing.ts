import { keyOfRecipient, type Recipient } from "./recipient.ts";
import { sodium } from "./sodium.ts";

/** Whether something can be encrypted to the key in `recipient` (FIPS 203 §7.2 and a real share). */
export function isUsable(recipient: Recipient): boolean {
  return xwingEncapsulate(keyOfRecipient(recipient)) !== undefined;
}

/** The 1216-byte public key of a 32-byte X-Wing seed; the seed is the whole secret key. */
export function xwingPublicKey(seed: Uint8Array): Uint8Array {
  return sodium.crypto_kem_xwing_seed_keypair(seed).publicKey;
}

/**
 * A fresh 32-byte shared secret and the 1120 bytes that carry it, or undefined if `publicKey` is
 * not a valid one: its ML-KEM half must be reduced (FIPS 203 §7.2), its X25519 half of full order.
 */
export function xwingEncapsulate(
  publicKey: Uint8Array,
): { sharedSecret: Uint8Array; ciphertext: Uint8Array } | undefined {
  try {
    return sodium.crypto_kem_xwing_enc(publicKey);
  } catch {
    return undefined;
  }
}

/**
 * The shared secret that `ciphertext` carries for `seed`. An altered ciphertext gives another
 * secret, not an error (implicit rejection, FIPS 203 §6.3): the AEAD above tells. Undefined only
 * where the X25519 share would be all zero.
 */
export function xwingDecapsulate(ciphertext: Uint8Array, seed: Uint8Array): Uint8Array | undefined {
  try {
    return sodium.crypto_kem_xwing_dec(ciphertext, seed);
  } catch {
    return undefined;
  }
}
