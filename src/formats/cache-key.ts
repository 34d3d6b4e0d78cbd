import { decodeBase64, encodeBase64 } from "../crypto/base64.ts";
import { textOf, utf8, wipe } from "../crypto/bytes.ts";
import { ed25519Signer, type SignEd25519 } from "../crypto/ed25519-signing.ts";
import { Failure } from "../failure.ts";

// The keys with which binary caches are signed, as `nix-store --generate-binary-cache-key` writes
// them: NAME:BASE64, of 64 bytes for the secret half and 32 for the public one.

/** A cache's secret key, of which nothing is kept but what signs with it. */
export interface CacheKey {
  /** As nodes know it, such as `cache.example.org-1`. */
  readonly name: string;
  readonly sign: SignEd25519;
}

/**
 * The cache key in a file. Its bytes are wiped.
 *
 * @param what - names the file in the message
 * @throws Failure `cache-key/invalid`
 */
export function parseCacheKey(bytes: Uint8Array, what: string): CacheKey {
  const end = bytes.at(-1) === 0x0a ? -1 : undefined;
  const colon = bytes.indexOf(0x3a);
  const name = colon < 1 ? undefined : textOf(bytes.subarray(0, colon));
  const secret = decodeBase64(bytes.subarray(colon + 1, end));
  try {
    if (name === undefined || !isKeyName(name) || secret === undefined)
      throw new Failure("cache-key/invalid", `${what} is not NAME:BASE64`);
    if (secret.length !== 64) {
      const found = secret.length === 32 ? "a public key" : "no Ed25519 key";
      throw new Failure("cache-key/invalid", `${what} is ${found}, not a cache's secret key`);
    }
    const sign = ed25519Signer(secret);
    if (sign !== undefined) return { name, sign };
    throw new Failure("cache-key/invalid", `the halves of ${what} don't belong to each other`);
  } finally {
    wipe(bytes, ...(secret === undefined ? [] : [secret]));
  }
}

/** Whether it can be a key's name: it stands before a colon, on a line with others. */
function isKeyName(name: string): boolean {
  return /^[\w.+@-]{1,200}$/u.test(name);
}

/** A cache's public key, as `trusted-public-keys` in nix.conf has it. */
export interface PublicCacheKey {
  readonly name: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** The public key that `NAME:BASE64` is; undefined if it is none. */
export function parsePublicCacheKey(text: string): PublicCacheKey | undefined {
  const [name = "", base64 = "", ...more] = text.split(":");
  const key = decodeBase64(utf8(base64));
  if (more.length > 0 || !isKeyName(name) || key?.length !== 32) return undefined;
  return { name, key };
}

/** `NAME:BASE64` over a message, as narinfos have it. */
export function signWith(key: CacheKey, message: Uint8Array): string {
  return `${key.name}:${textOf(encodeBase64(key.sign(message))) ?? ""}`;
}
