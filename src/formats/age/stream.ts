import { concatBytes, randomBytes, utf8, wipe } from "../../crypto/bytes.ts";
import { decryptChaCha, encryptChaCha, tagSize } from "../../crypto/chacha.ts";
import { hkdfSha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";

// The payload of an age file: a 16-byte nonce, then STREAM chunks of 64 KiB (the age
// specification, "Payload").
const nonceSize = 16;
const chunkSize = 64 * 1024;

function payloadSecret(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return hkdfSha256(fileKey, nonce, utf8("payload"), 32);
}

/** 11 bytes of counter, big endian, and one that is 1 for the last chunk. */
function chunkNonce(counter: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, counter);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/** The bytes that a payload has of a plaintext of `size` bytes. */
export function payloadSize(size: number): number {
  return nonceSize + size + tagSize * Math.max(1, Math.ceil(size / chunkSize));
}

/** `plaintext` encrypted under `fileKey` (16 bytes): a random nonce and at least one chunk. */
export function encryptPayload(fileKey: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(nonceSize);
  const secret = payloadSecret(fileKey, nonce);
  const parts = [nonce];
  const count = Math.max(1, Math.ceil(plaintext.length / chunkSize));
  for (let index = 0; index < count; index++) {
    const chunk = plaintext.subarray(index * chunkSize, (index + 1) * chunkSize);
    parts.push(encryptChaCha(secret, chunkNonce(index, index === count - 1), chunk));
  }
  wipe(secret);
  return concatBytes(...parts);
}

/**
 * What {@link encryptPayload} encrypted: all of it, or nothing. The caller wipes it.
 *
 * @throws Failure `payload/altered` if anything was changed, cut off, added or reordered
 */
export function decryptPayload(fileKey: Uint8Array, payload: Uint8Array): Uint8Array {
  const secret = payloadSecret(fileKey, payload.subarray(0, nonceSize));
  const chunks: Uint8Array[] = [];
  try {
    if (payload.length < nonceSize) throw altered();
    const body = payload.subarray(nonceSize);
    const count = Math.max(1, Math.ceil(body.length / (chunkSize + tagSize)));
    for (let index = 0; index < count; index++) {
      const last = index === count - 1;
      const from = index * (chunkSize + tagSize);
      const chunk = body.subarray(from, from + chunkSize + tagSize);
      const plain = decryptChaCha(secret, chunkNonce(index, last), chunk);
      if (plain === undefined) throw altered();
      chunks.push(plain);
      // An empty last chunk is how an empty payload is written, and no other.
      if (last && index > 0 && plain.length === 0) throw altered();
    }
    return concatBytes(...chunks);
  } finally {
    wipe(secret, ...chunks);
  }
}

function altered(): Failure {
  return new Failure("payload/altered", "payload doesn't decrypt under its file key");
}
