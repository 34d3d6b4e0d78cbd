import { createHash, createHmac, hkdfSync } from "node:crypto";
import { hex, utf8 } from "./bytes.ts";

/** The 32 bytes of SHA-256 over `bytes` (FIPS 180-4). */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** The 64 bytes of SHA-512 over `bytes` (FIPS 180-4). */
export function sha512(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha512").update(bytes).digest());
}

/** The 32 bytes of HMAC-SHA-256 (RFC 2104). */
export function hmacSha256(secret: Uint8Array, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", secret).update(bytes).digest());
}

/** `length` bytes of HKDF-SHA-256, extract and expand (RFC 5869). An empty salt is 32 zero bytes. */
export function hkdfSha256(
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, salt, info, length));
}

/**
 * Hex of the first 16 bytes of the SHA-256 of a public key's text: 32 digits that fit a file
 * name, and that `printf %s TEXT | sha256sum` gives too (docs/bundle-format.md §3).
 */
export function idOf(publicText: string): string {
  return hex(sha256(utf8(publicText)).subarray(0, 16));
}
