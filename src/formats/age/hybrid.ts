import { decodeBase64, encodeBase64 } from "../../crypto/base64.ts";
import { textOf, utf8, wipe } from "../../crypto/bytes.ts";
import { decryptChaCha, encryptChaCha, tagSize } from "../../crypto/chacha.ts";
import { hpkeContext } from "../../crypto/hpke.ts";
import type { Identity } from "../../crypto/identity.ts";
import { keyOfRecipient, type Recipient } from "../../crypto/recipient.ts";
import { xwingSizes } from "../../crypto/xwing-sizes.ts";
import { xwingDecapsulate, xwingEncapsulate } from "../../crypto/xwing.ts";
import { Failure } from "../../failure.ts";
import { fileKeySize, type Stanza } from "./header.ts";

/** The type of age's post-quantum hybrid stanza (the age specification, "mlkem768x25519"). */
export const hybridType = "mlkem768x25519";

const info = utf8(`age-encryption.org/${hybridType}`);

/**
 * A stanza that gives `fileKey` (16 bytes) to whoever has the identity of `recipient`.
 *
 * @throws Failure `recipient/malformed` if the recipient's key is not a valid one
 */
export function wrapFileKey(fileKey: Uint8Array, recipient: Recipient): Stanza {
  const share = xwingEncapsulate(keyOfRecipient(recipient));
  if (share === undefined) {
    throw new Failure(
      "recipient/malformed",
      `recipient ${recipient.slice(0, 20)}… has no valid key`,
    );
  }
  const context = hpkeContext(share.sharedSecret, info);
  const body = encryptChaCha(context.secret, context.nonce, fileKey);
  wipe(share.sharedSecret, context.secret);
  return { args: [hybridType, textOf(encodeBase64(share.ciphertext, false)) ?? ""], body };
}

/**
 * The parts of a hybrid stanza: 1120 bytes of KEM ciphertext and a 32-byte body; undefined if it
 * is of another type.
 *
 * @throws Failure `header/malformed` if it is a hybrid stanza that no writer could have written
 */
export function parseHybrid(
  stanza: Stanza,
): { ciphertext: Uint8Array; body: Uint8Array } | undefined {
  if (stanza.args[0] !== hybridType) return undefined;
  const ciphertext = decodeBase64(utf8(stanza.args[1] ?? ""), false);
  if (stanza.args.length !== 2 || ciphertext?.length !== xwingSizes.ciphertext) {
    throw malformed("needs one argument of 1120 bytes");
  }
  // Before it is decrypted, so that a longer one can't fit two identities (age, "file key").
  if (stanza.body.length !== fileKeySize + tagSize) throw malformed("needs a body of 32 bytes");
  return { ciphertext, body: stanza.body };
}

function malformed(what: string): Failure {
  return new Failure("header/malformed", `age header: ${hybridType} ${what}`);
}

/**
 * The 16-byte file key in `stanza`, or undefined if it is of another type, for another identity,
 * or altered. The caller wipes it.
 *
 * @throws Failure `header/malformed` as {@link parseHybrid}, or if the share is of low order
 */
export function unwrapFileKey(stanza: Stanza, identity: Identity): Uint8Array | undefined {
  const parts = parseHybrid(stanza);
  if (parts === undefined) return undefined;
  const sharedSecret = xwingDecapsulate(parts.ciphertext, identity.seed);
  if (sharedSecret === undefined) throw malformed("has a share of low order");
  const context = hpkeContext(sharedSecret, info);
  const fileKey = decryptChaCha(context.secret, context.nonce, parts.body);
  wipe(sharedSecret, context.secret);
  return fileKey;
}
