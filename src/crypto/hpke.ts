import { createHmac } from "node:crypto";
import { concatBytes, utf8, wipe } from "./bytes.ts";

// HPKE base mode (RFC 9180) for the one suite that age uses: KEM 0x647a (X-Wing), HKDF-SHA256
// (0x0001), ChaCha20-Poly1305 (0x0003). Only the first message of a context is ever sealed, so
// the nonce is the base nonce itself (§5.2, sequence number 0).
const suite = concatBytes(utf8("HPKE"), Uint8Array.of(0x64, 0x7a, 0x00, 0x01, 0x00, 0x03));
const version = utf8("HPKE-v1");
const nothing = new Uint8Array(0);

/** HKDF-Extract alone, which Node's own HKDF doesn't give (RFC 5869 §2.2). */
function labeledExtract(salt: Uint8Array, label: string, material: Uint8Array): Uint8Array {
  const input = concatBytes(version, suite, utf8(label), material);
  return new Uint8Array(createHmac("sha256", salt).update(input).digest());
}

/** HKDF-Expand for at most one block of 32 bytes (RFC 5869 §2.3), labelled (RFC 9180 §4). */
function labeledExpand(
  secret: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const info = concatBytes(Uint8Array.of(0, length), version, suite, utf8(label), context);
  const block = createHmac("sha256", secret).update(info).update(Uint8Array.of(1)).digest();
  return new Uint8Array(block.subarray(0, length));
}

/**
 * The 32-byte AEAD secret and 12-byte nonce of a context (RFC 9180 §5.1, mode_base).
 *
 * @param sharedSecret - what the KEM gave, 32 bytes
 * @param info - what the context is for
 */
export function hpkeContext(
  sharedSecret: Uint8Array,
  info: Uint8Array,
): { secret: Uint8Array; nonce: Uint8Array } {
  const context = concatBytes(
    Uint8Array.of(0),
    labeledExtract(nothing, "psk_id_hash", nothing),
    labeledExtract(nothing, "info_hash", info),
  );
  const root = labeledExtract(sharedSecret, "secret", nothing);
  const keys = {
    secret: labeledExpand(root, "key", context, 32),
    nonce: labeledExpand(root, "base_nonce", context, 12),
  };
  wipe(root);
  return keys;
}
