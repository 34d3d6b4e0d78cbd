import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from "node:crypto";
import { bech32 } from "@scure/base";
import { decodeBase64 } from "../../src/crypto/base64.ts";
import { concatBytes, utf8 } from "../../src/crypto/bytes.ts";
import { decryptChaCha } from "../../src/crypto/chacha.ts";
import { hkdfSha256 } from "../../src/crypto/digest.ts";
import { Failure } from "../../src/failure.ts";
import type { Stanza } from "../../src/formats/age/header.ts";

// age's classical stanza (the age specification, "X25519"), for tests alone: it lets those vectors
// of the corpus that have no hybrid stanza judge our header, MAC and payload. Over Node's OpenSSL,
// so that nothing of it can find its way into src/crypto.

const privatePrefix = Buffer.from("302e020100300506032b656e04220420", "hex");
const publicPrefix = Buffer.from("302a300506032b656e032100", "hex");

function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({
    key: Buffer.concat([publicPrefix, bytes]),
    format: "der",
    type: "spki",
  });
}

/**
 * The file key in `stanza` for the identity `AGE-SECRET-KEY-1…`, or undefined if it is of another
 * type or for another identity.
 *
 * @throws Failure `header/malformed` if it is an X25519 stanza that no writer could have written
 */
export function unwrapX25519(stanza: Stanza, identity: string): Uint8Array | undefined {
  if (stanza.args[0] !== "X25519") return undefined;
  const malformed = new Failure("header/malformed", "age header: X25519 stanza is malformed");
  const share = decodeBase64(utf8(stanza.args[1] ?? ""), false);
  if (stanza.args.length !== 2 || share?.length !== 32) throw malformed;
  if (stanza.body.length !== 32) throw malformed;
  const decoded = bech32.decode(identity.toLowerCase() as `${string}1${string}`, false);
  const privateKey = createPrivateKey({
    key: Buffer.concat([privatePrefix, bech32.fromWords(decoded.words)]),
    format: "der",
    type: "pkcs8",
  });
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = diffieHellman({ privateKey, publicKey: publicKeyOf(share) });
  } catch {
    // OpenSSL refuses to derive from a point of low order.
    throw malformed;
  }
  const recipient = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const salt = concatBytes(share, recipient.subarray(publicPrefix.length));
  const secret = hkdfSha256(sharedSecret, salt, utf8("age-encryption.org/v1/X25519"), 32);
  return decryptChaCha(secret, new Uint8Array(12), stanza.body);
}
