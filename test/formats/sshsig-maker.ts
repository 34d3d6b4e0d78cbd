import { createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { concatBytes, utf8 } from "../../src/crypto/bytes.ts";
import { sha256, sha512 } from "../../src/crypto/digest.ts";
import { signerKeyOfBlob, type SignerKey } from "../../src/formats/sshsig/public-key.ts";
import { encodeArmour } from "../../src/formats/sshsig/signature.ts";
import { wireNumber, wireString } from "../../src/formats/sshsig/wire.ts";

// SSHSIGs made by Node's own Ed25519, field by field, so that any one field can be made wrong.
// Written after OpenSSH's PROTOCOL.sshsig, and PROTOCOL.u2f for security keys.

/** A signer with its private half. Security keys have an application. */
export interface TestSigner {
  readonly signer: SignerKey;
  readonly privateKey: KeyObject;
  readonly publicKey: Uint8Array;
  readonly application: string | undefined;
}

const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** The signer of a 32-byte Ed25519 seed; of a security key if there is an application. */
export function signerOfSeed(seed: Uint8Array, application?: string): TestSigner {
  const der = Buffer.concat([privatePrefix, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const publicKey = new Uint8Array(spki.subarray(-32));
  const signer = signerKeyOfBlob(keyBlob(publicKey, application));
  if (signer === undefined) throw new Error("internal: no signer's key");
  return { signer, privateKey, publicKey, application };
}

/** A public key in SSH's wire form. */
export function keyBlob(publicKey: Uint8Array, application?: string): Uint8Array {
  if (application === undefined)
    return concatBytes(wireString("ssh-ed25519"), wireString(publicKey));
  const type = wireString("sk-ssh-ed25519@openssh.com");
  return concatBytes(type, wireString(publicKey), wireString(application));
}

/** The parts of a signature, each as it is unless told otherwise. */
export interface SignatureParts {
  readonly magic: string;
  readonly version: number;
  readonly key: Uint8Array;
  readonly namespace: string;
  readonly reserved: string;
  readonly hash: string;
  readonly algorithm: string;
  /** What a security key says of the touch: 1 present, 4 verified. */
  readonly flags: number;
  readonly counter: number;
  /** Changes the 64 bytes of Ed25519. */
  readonly alter: (signature: Uint8Array) => Uint8Array;
  /** Follows the inner signature, within its string. */
  readonly innerTail: Uint8Array;
  /** Follows everything. */
  readonly tail: Uint8Array;
}

const nothing = new Uint8Array(0);

/** The SSHSIG over `message`, without armour. Parts that are signed are signed as given. */
export function signatureBlob(
  by: TestSigner,
  message: Uint8Array,
  namespace: string,
  wrong: Partial<SignatureParts> = {},
): Uint8Array {
  const sk = by.application !== undefined;
  const parts: SignatureParts = {
    magic: "SSHSIG",
    version: 1,
    key: keyBlob(by.publicKey, by.application),
    namespace,
    reserved: "",
    hash: "sha512",
    algorithm: sk ? "sk-ssh-ed25519@openssh.com" : "ssh-ed25519",
    flags: 1,
    counter: 7,
    alter: (signature) => signature,
    innerTail: nothing,
    tail: nothing,
    ...wrong,
  };
  const digest = parts.hash === "sha256" ? sha256(message) : sha512(message);
  const signed = concatBytes(
    utf8("SSHSIG"),
    ...[parts.namespace, parts.reserved, parts.hash, digest].map(wireString),
  );
  const presence = concatBytes(Uint8Array.of(parts.flags), wireNumber(parts.counter));
  const toSign =
    by.application === undefined
      ? signed
      : concatBytes(sha256(utf8(by.application)), presence, sha256(signed));
  const signature = parts.alter(new Uint8Array(sign(undefined, toSign, by.privateKey)));
  const inner = concatBytes(
    ...[parts.algorithm, signature].map(wireString),
    sk ? presence : nothing,
    parts.innerTail,
  );
  return concatBytes(
    utf8(parts.magic),
    wireNumber(parts.version),
    ...[parts.key, parts.namespace, parts.reserved, parts.hash, inner].map(wireString),
    parts.tail,
  );
}

/** The armoured SSHSIG over `message`, as `ssh-keygen -Y sign` would write it. */
export function armouredSignature(
  by: TestSigner,
  message: Uint8Array,
  namespace: string,
  wrong: Partial<SignatureParts> = {},
): Uint8Array {
  return encodeArmour(signatureBlob(by, message, namespace, wrong));
}
