import { createCipheriv } from "node:crypto";
import { encodeBase64 } from "../../src/crypto/base64.ts";
import { concatBytes, hex, textOf, utf8 } from "../../src/crypto/bytes.ts";
import { encryptChaCha } from "../../src/crypto/chacha.ts";
import { hkdfSha256, sha256 } from "../../src/crypto/digest.ts";
import { hpkeContext } from "../../src/crypto/hpke.ts";
import { keyOfRecipient, type Recipient } from "../../src/crypto/recipient.ts";
import { sodium } from "../../src/crypto/sodium.ts";
import type { Stanza } from "../../src/formats/age/header.ts";

// Sealing with every random number given, so that vectors can be made again byte for byte; and
// chunk by chunk, so that a single chunk can be wrong.

const bytesOf = (name: string, length: number): Uint8Array =>
  hkdfSha256(utf8(name), new Uint8Array(0), utf8("sealaunch test vectors"), length);

/** The file key that vectors call `name`; always the same. */
export function fixedFileKey(name: string): Uint8Array {
  return bytesOf(`file key ${name}`, 16);
}

/** A hybrid stanza for `recipient`, around anything of whatever size. */
export function fixedStanza(wrapped: Uint8Array, recipient: Recipient): Stanza {
  const share = sodium.crypto_kem_xwing_enc_deterministic(
    keyOfRecipient(recipient),
    bytesOf(`share of ${hex(wrapped)}`, 64),
  );
  const info = utf8("age-encryption.org/mlkem768x25519");
  const { secret, nonce } = hpkeContext(share.sharedSecret, info);
  return {
    args: ["mlkem768x25519", textOf(encodeBase64(share.ciphertext, false)) ?? ""],
    body: encryptChaCha(secret, nonce, wrapped),
  };
}

/** One chunk of a payload, with the number and the mark that it is encrypted under. */
export interface Chunk {
  readonly plaintext: Uint8Array;
  readonly number: number;
  readonly last: boolean;
}

/** `plaintext` in the chunks that it has to have. */
export function chunksOf(plaintext: Uint8Array): Chunk[] {
  const size = 64 * 1024;
  const count = Math.max(1, Math.ceil(plaintext.length / size));
  return Array.from({ length: count }, (_, number) => ({
    plaintext: plaintext.subarray(number * size, (number + 1) * size),
    number,
    last: number === count - 1,
  }));
}

const fixedNonce = bytesOf("nonce", 16);

/** A payload's nonce and chunks. */
export function fixedPayload(fileKey: Uint8Array, chunks: readonly Chunk[]): Uint8Array {
  const secret = hkdfSha256(fileKey, fixedNonce, utf8("payload"), 32);
  return concatBytes(
    fixedNonce,
    ...chunks.map(({ plaintext, number, last }) =>
      encryptChaCha(secret, chunkNonce(number, last), plaintext),
    ),
  );
}

function chunkNonce(number: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, number);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

const prime = 2n ** 130n - 5n;
const word = 2n ** 128n;

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).reverse().toString("hex")}`);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base % prime, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}

/** The one-time key of Poly1305 in one chunk (RFC 8439 §2.6): r and s. */
function oneTimeKey(fileKey: Uint8Array): readonly [r: bigint, s: bigint] {
  const secret = hkdfSha256(fileKey, fixedNonce, utf8("payload"), 32);
  const iv = concatBytes(new Uint8Array(4), chunkNonce(0, true));
  const block = createCipheriv("chacha20", secret, iv).update(new Uint8Array(32));
  const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  return [littleEndian(block.subarray(0, 16)) & clamp, littleEndian(block.subarray(16))];
}

/**
 * A payload of one chunk that decrypts under two file keys: what ChaCha20-Poly1305 alone lets
 * pass. Two blocks of `body` (whole blocks, two at least) are chosen so that both tags are equal.
 */
export function payloadOfTwoKeys(body: Uint8Array, a: Uint8Array, b: Uint8Array): Uint8Array {
  const blocks = Array.from(
    { length: body.length / 16 },
    (_, index) => littleEndian(body.subarray(index * 16, index * 16 + 16)) + word,
  );
  const sizes = (BigInt(body.length) << 64n) + word;
  const count = BigInt(blocks.length);
  // What the other blocks give; the two last blocks are unknown, at r^3 and r^2.
  const keys = [oneTimeKey(a), oneTimeKey(b)].map(([r, s]) => {
    const known = blocks
      .slice(0, -2)
      .reduce((sum, block, index) => sum + block * power(r, count + 1n - BigInt(index)), sizes * r);
    return { s, known, square: power(r, 2n), cube: power(r, 3n) };
  });
  const [first, second] = keys;
  if (first === undefined || second === undefined) throw new Error("internal: two keys");
  const determinant = first.cube * second.square - second.cube * first.square;
  const inverse = power(((determinant % prime) + prime) % prime, prime - 2n);
  const within = (value: bigint): bigint => ((value % prime) + prime) % prime;
  for (let attempt = 0; ; attempt++) {
    const tag = littleEndian(sha256(utf8(`tag ${String(attempt)}`)).subarray(0, 16));
    const sumOf = ({ s, known }: typeof first): bigint =>
      ((((tag - s) % word) + word) % word) - known;
    const [x, y] = [sumOf(first), sumOf(second)];
    const third = within((x * second.square - y * first.square) * inverse);
    const last = within((y * first.cube - x * second.cube) * inverse);
    if (third < word || third >= 2n * word || last < word || last >= 2n * word) continue;
    const bytes = [third - word, last - word, tag].map((value) =>
      Uint8Array.from(Buffer.from(value.toString(16).padStart(32, "0"), "hex").reverse()),
    );
    return concatBytes(fixedNonce, body.subarray(0, -32), ...bytes);
  }
}
