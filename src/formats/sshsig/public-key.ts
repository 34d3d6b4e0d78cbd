import { decodeBase64, encodeBase64 } from "../../crypto/base64.ts";
import { textOf, utf8 } from "../../crypto/bytes.ts";
import { idOf, sha256 } from "../../crypto/digest.ts";
import { Failure } from "../../failure.ts";
import { readWire } from "./wire.ts";

declare const valid: unique symbol;
/**
 * A signer's SSH public key as one line without a comment: `ssh-ed25519 AAAA…` or
 * `sk-ssh-ed25519@openssh.com AAAA…`. Two keys are the same when their texts are.
 */
export type SignerKey = string & { readonly [valid]: true };

/** What is in a {@link SignerKey}. */
export interface SignerKeyParts {
  readonly type: "ssh-ed25519" | "sk-ssh-ed25519@openssh.com";
  /** 32 bytes of Ed25519. */
  readonly publicKey: Uint8Array;
  /** What a security key signs for; only for `sk-` keys (OpenSSH's PROTOCOL.u2f). */
  readonly application: Uint8Array | undefined;
  /** The key in SSH's wire form, as signatures carry it. */
  readonly blob: Uint8Array;
}

const types = ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"] as const;

/** Whether keys of the type that SSH calls `name` may sign. */
export function isSignerType(name: string): boolean {
  return types.some((known) => known === name);
}

function partsOfBlob(blob: Uint8Array): SignerKeyParts | undefined {
  const reader = readWire(blob);
  const name = textOf(reader.string() ?? new Uint8Array());
  const type = types.find((known) => known === name);
  const publicKey = reader.string();
  const application = type === "ssh-ed25519" ? undefined : reader.string();
  if (type === undefined || publicKey?.length !== 32 || !reader.atEnd()) return undefined;
  return { type, publicKey, application, blob };
}

/** The line of a key in wire form, or undefined if it isn't a key that may sign. */
export function signerKeyOfBlob(blob: Uint8Array): SignerKey | undefined {
  const parts = partsOfBlob(blob);
  if (parts === undefined) return undefined;
  return `${parts.type} ${textOf(encodeBase64(blob)) ?? ""}` as SignerKey;
}

/** Whether `text` is exactly a {@link SignerKey}. */
export function isSignerKey(text: string): text is SignerKey {
  const blob = decodeBase64(utf8(text.split(" ")[1] ?? ""));
  return blob !== undefined && signerKeyOfBlob(blob) === text;
}

/** The parts of a key. */
export function signerKeyParts(key: SignerKey): SignerKeyParts {
  const blob = decodeBase64(utf8(key.split(" ")[1] ?? ""));
  const parts = blob === undefined ? undefined : partsOfBlob(blob);
  if (parts === undefined) throw new Error("internal: a signer key that is none");
  return parts;
}

/**
 * The key in one line of a `.pub` file, whose comment is dropped.
 *
 * @throws Failure `ssh-key/unsupported` for RSA, ECDSA, DSA and any other type, by name;
 *   `ssh-key/malformed`
 */
export function parseSignerKey(line: string, what: string): SignerKey {
  const [type = "", body = ""] = line.trim().split(/\s+/u);
  const key = `${type} ${body}`;
  if (isSignerKey(key)) return key;
  if (/^[a-z0-9@.-]+$/u.test(type) && body !== "" && !isSignerType(type)) {
    throw new Failure(
      "ssh-key/unsupported",
      `${what} is of type ${type.slice(0, 60)}, not ${types.join(" or ")}`,
    );
  }
  throw new Failure("ssh-key/malformed", `${what} is not one line of an OpenSSH public key`);
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function fingerprint(key: SignerKey): string {
  const digest = encodeBase64(sha256(signerKeyParts(key).blob), false);
  return `SHA256:${textOf(digest) ?? ""}`;
}

/** The {@link idOf} of the key's text: names its signature's file (docs/bundle-format.md §3). */
export function signerKeyId(key: SignerKey): string {
  return idOf(key);
}
