import { decodeBase64, encodeBase64 } from "../../crypto/base64.ts";
import { concatBytes, equalBytes, textOf, utf8 } from "../../crypto/bytes.ts";
import { sha256, sha512 } from "../../crypto/digest.ts";
import { verifyEd25519 } from "../../crypto/ed25519.ts";
import { Failure } from "../../failure.ts";
import {
  fingerprint,
  isSignerType,
  signerKeyOfBlob,
  signerKeyParts,
  type SignerKey,
} from "./public-key.ts";
import { readWire, wireString } from "./wire.ts";

// SSHSIG, OpenSSH's PROTOCOL.sshsig, read more strictly than ssh-keygen reads it: one spelling of
// everything, so that no two files are the same signature.

/** One namespace a type of object, so that no signature can be taken for another's (§6). */
export const namespaces = {
  bundle: "bundle@sealaunch",
  roster: "roster@sealaunch",
  pool: "pool@sealaunch",
  card: "card@sealaunch",
  inventory: "inventory@sealaunch",
} as const;

export type SignedType = keyof typeof namespaces;

/** An armoured signature is at most this many bytes. */
export const maxSignatureSize = 4096;

const magic = utf8("SSHSIG");
const digests = { sha256, sha512 };

/** An SSHSIG that is well-formed; whether it verifies is another question. */
export interface Signature {
  readonly signer: SignerKey;
  readonly namespace: string;
  readonly hashAlgorithm: keyof typeof digests;
  /** 64 bytes of Ed25519. */
  readonly signature: Uint8Array;
  /** Flags and counter of a security key (PROTOCOL.u2f); only for `sk-` keys. */
  readonly presence: { readonly flags: number; readonly counter: Uint8Array } | undefined;
}

function malformed(what: string): Failure {
  return new Failure("signature/malformed", `signature: ${what}`);
}

const armourBegin = "-----BEGIN SSH SIGNATURE-----\n";
const armourEnd = "-----END SSH SIGNATURE-----\n";
const armourColumns = 70;

/** The armour around a signature, byte for byte as `ssh-keygen -Y sign` writes it. */
export function encodeArmour(blob: Uint8Array): Uint8Array {
  const text = textOf(encodeBase64(blob)) ?? "";
  const lines = text.match(new RegExp(`.{1,${String(armourColumns)}}`, "gu")) ?? [];
  return utf8(armourBegin + lines.map((line) => `${line}\n`).join("") + armourEnd);
}

function decodeArmour(bytes: Uint8Array): Uint8Array {
  const text = textOf(bytes.subarray(0, maxSignatureSize + 1)) ?? "";
  const body = text.slice(armourBegin.length, -armourEnd.length).replaceAll("\n", "");
  const blob = decodeBase64(utf8(body));
  // ssh-keygen itself skips blanks and accepts other line lengths; our own re-encoding decides.
  if (blob === undefined || !equalBytes(encodeArmour(blob), bytes)) {
    throw malformed("its armour is not exactly as ssh-keygen writes it");
  }
  return blob;
}

/**
 * The signature in an armoured file.
 *
 * @throws Failure `signature/malformed`; `ssh-key/unsupported` if an RSA, ECDSA or other key made it
 */
export function parseSignature(armoured: Uint8Array): Signature {
  const reader = readWire(decodeArmour(armoured));
  const preamble = reader.bytes(magic.length);
  if (preamble === undefined || !equalBytes(preamble, magic)) throw malformed("it is no SSHSIG");
  if (reader.number() !== 1) throw malformed("its version is not 1");
  const signer = parseSigner(reader.string());
  const namespace = textOf(reader.string() ?? new Uint8Array());
  if (namespace === undefined) throw malformed("its namespace is not text");
  if (reader.string()?.length !== 0) throw malformed("its reserved field is not empty");
  const hashAlgorithm = textOf(reader.string() ?? new Uint8Array());
  if (hashAlgorithm !== "sha256" && hashAlgorithm !== "sha512") {
    throw malformed("its hash is neither sha256 nor sha512");
  }
  const inner = reader.string();
  if (inner === undefined || !reader.atEnd())
    throw malformed("it is cut short, or bytes follow it");
  return { signer, namespace, hashAlgorithm, ...parseInner(inner, signer) };
}

function parseSigner(blob: Uint8Array | undefined): SignerKey {
  if (blob === undefined) throw malformed("it has no public key");
  const signer = signerKeyOfBlob(blob);
  if (signer !== undefined) return signer;
  const type = textOf(readWire(blob).string() ?? new Uint8Array()) ?? "";
  // A key of a type that we do accept gets here if its parts are wrong.
  if (isSignerType(type) || !/^[a-z0-9@.-]{1,60}$/u.test(type)) {
    throw malformed("its public key can't be read");
  }
  throw new Failure("ssh-key/unsupported", `signature: it is made by a key of type ${type}`);
}

function parseInner(
  inner: Uint8Array,
  signer: SignerKey,
): Pick<Signature, "signature" | "presence"> {
  const { type } = signerKeyParts(signer);
  const reader = readWire(inner);
  if (textOf(reader.string() ?? new Uint8Array()) !== type) {
    throw malformed(`its algorithm is not that of its key, ${type}`);
  }
  const signature = reader.string();
  const flags = type === "ssh-ed25519" ? undefined : reader.bytes(1)?.[0];
  const counter = type === "ssh-ed25519" ? undefined : reader.bytes(4);
  if (signature?.length !== 64 || !reader.atEnd())
    throw malformed("its inner part has a wrong size");
  if (flags === undefined || counter === undefined) return { signature, presence: undefined };
  return { signature, presence: { flags, counter } };
}

const userPresent = 0x01;
const userVerified = 0x04;

/**
 * Returns the key that signed `message` as an object of type `signed`.
 *
 * @throws Failure `signature/invalid` if it is for another type, another message, or made by a
 *   security key that nobody touched
 */
export function verifySignature(
  signature: Signature,
  message: Uint8Array,
  signed: SignedType,
): SignerKey {
  const who = fingerprint(signature.signer);
  if (signature.namespace !== namespaces[signed]) {
    throw new Failure(
      "signature/invalid",
      `signature by ${who} is for ${JSON.stringify(signature.namespace.slice(0, 60))}, not ${namespaces[signed]}`,
    );
  }
  if (signature.presence !== undefined && !presenceHolds(signature.presence.flags)) {
    throw new Failure("signature/invalid", `signature by ${who}: nobody touched the security key`);
  }
  const { publicKey } = signerKeyParts(signature.signer);
  if (!verifyEd25519(signature.signature, signedBytes(signature, message), publicKey)) {
    throw new Failure("signature/invalid", `signature by ${who} is not over these bytes`);
  }
  return signature.signer;
}

/** Presence is needed; verification may be; any other flag is none that we know. */
function presenceHolds(flags: number): boolean {
  return (flags & userPresent) !== 0 && (flags & ~(userPresent | userVerified)) === 0;
}

/** What the Ed25519 signature is over: PROTOCOL.sshsig §3, and PROTOCOL.u2f for `sk-` keys. */
function signedBytes(signature: Signature, message: Uint8Array): Uint8Array {
  const data = concatBytes(
    magic,
    wireString(signature.namespace),
    wireString(""),
    wireString(signature.hashAlgorithm),
    wireString(digests[signature.hashAlgorithm](message)),
  );
  const { application } = signerKeyParts(signature.signer);
  if (signature.presence === undefined || application === undefined) return data;
  const { flags, counter } = signature.presence;
  return concatBytes(sha256(application), Uint8Array.of(flags), counter, sha256(data));
}
