import { resolve } from "node:path";
import { textOf } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import {
  fingerprint,
  isSignerKey,
  parseSignerKey,
  type SignerKey,
} from "../formats/sshsig/public-key.ts";
import {
  namespaces,
  parseSignature,
  verifySignature,
  type SignedType,
} from "../formats/sshsig/signature.ts";
import { readNamedFile } from "../host/named-files.ts";
import { agentKeys, gitSigningKey, sign, signWithAgent } from "../host/ssh/ssh.ts";
import { listKeys } from "../trust/signed.ts";
import type { Context } from "./context.ts";

/** A key that can sign here. */
export interface Signer {
  readonly signer: SignerKey;
  /** The file that ssh-keygen takes for it; undefined if only the agent knows it. */
  readonly file: string | undefined;
}

const maxKeyFileSize = 64 * 1024;

/**
 * The public key in a file: `KEY.pub`, or the private `KEY` beside it.
 *
 * @throws Failure `ssh-key/malformed`, `ssh-key/unsupported`
 */
export async function readSignerKey(context: Context, file: string): Promise<SignerKey> {
  const path = resolve(context.directory, file);
  const publicPath = path.endsWith(".pub") ? path : `${path}.pub`;
  const bytes =
    (await readNamedFile(publicPath, maxKeyFileSize)) ??
    (await readNamedFile(path, maxKeyFileSize));
  if (bytes === undefined) {
    throw new Failure("ssh-key/malformed", `there is no public key at ${publicPath}`);
  }
  return parseSignerKey(textOf(bytes) ?? "", publicPath);
}

/**
 * The one key of `allowed` that is held here: the one in `chosen`, or else the only one that the
 * agent or git's user.signingkey has.
 *
 * @param allowed - who may sign this
 * @param chosen - the file of --signer
 * @param what - what is to be signed, for the message
 * @throws Failure `signer/none`
 */
export async function chooseSigner(
  context: Context,
  allowed: readonly SignerKey[],
  chosen: string | undefined,
  what: string,
): Promise<Signer> {
  if (chosen !== undefined) {
    const signer = await readSignerKey(context, chosen);
    if (allowed.includes(signer)) return signerOf(context, signer, chosen);
    throw new Failure(
      "signer/none",
      `${what}: ${fingerprint(signer)} may not sign it, only ${listKeys(allowed)}`,
    );
  }
  const held = await heldKeys(context);
  const fitting = [...held.keys()].filter((signer) => allowed.includes(signer));
  const [signer, other] = fitting;
  if (signer !== undefined && other === undefined) {
    return signerOf(context, signer, held.get(signer));
  }
  const holding = `you hold ${held.size === 0 ? "no ed25519 key" : listKeys([...held.keys()])}`;
  throw new Failure(
    "signer/none",
    other === undefined
      ? `${what} may be signed by ${listKeys(allowed)}; ${holding}`
      : `${what} may be signed by several keys that you hold: ${listKeys(fitting)}`,
  );
}

/** The keys that the agent and git's configuration offer, with the file of each where one is known. */
export async function heldKeys(context: Context): Promise<Map<SignerKey, string | undefined>> {
  const held = new Map<SignerKey, string | undefined>();
  for (const line of await agentKeys(context.environment)) {
    const key = line.split(" ").slice(0, 2).join(" ");
    if (isSignerKey(key)) held.set(key, undefined);
  }
  const configured = await gitSigningKey(context.directory, context.environment);
  if (configured === undefined) return held;
  const home = context.environment["HOME"] ?? "";
  const path = configured.replace(/^~(?=\/)/u, home);
  const literal = configured
    .replace(/^key::/u, "")
    .split(" ")
    .slice(0, 2)
    .join(" ");
  const key = isSignerKey(literal)
    ? literal
    : await readSignerKey(context, path).catch(() => undefined);
  if (key !== undefined && !held.has(key)) held.set(key, isSignerKey(literal) ? undefined : path);
  return held;
}

function signerOf(context: Context, signer: SignerKey, file: string | undefined): Signer {
  return { signer, file: file === undefined ? undefined : resolve(context.directory, file) };
}

/**
 * The armoured signature of `signer` over `bytes`, checked as a reader will check it.
 *
 * @throws Failure `signer/failed`; `signature/…` if ssh-keygen signed with another key
 */
export async function signRecord(
  context: Context,
  { signer, file }: Signer,
  type: SignedType,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const namespace = namespaces[type];
  const armoured =
    file === undefined
      ? await signWithAgent(signer, namespace, bytes, context.environment)
      : await sign(file, namespace, bytes, context.environment);
  const made = verifySignature(parseSignature(armoured), bytes, type);
  if (made === signer) return armoured;
  throw new Failure(
    "signer/failed",
    `ssh-keygen signed as ${fingerprint(made)}, not as ${fingerprint(signer)}`,
  );
}
