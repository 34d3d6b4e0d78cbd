import { join } from "node:path";
import { wipe } from "../crypto/bytes.ts";
import { parseIdentityFile, type Identity } from "../crypto/identity.ts";
import { Failure } from "../failure.ts";
import type { NodeConfiguration } from "../formats/configuration.ts";
import { readIdentityFile, readRegularFile } from "../host/files.ts";
import { decryptCredential, isEncryptedCredential } from "../host/systemd/creds.ts";
import type { Located } from "./configuration.ts";
import { noMemory, type Memory } from "./memory.ts";

/** The name of a node's identity as a systemd credential. */
export const identityCredential = "sealaunch-identity";
/** The name of the one that a node is rotating to. */
export const nextIdentityCredential = `${identityCredential}.next`;

/** An identity has 2 KiB, with comments. */
const maxIdentitySize = 64 * 1024;

/** Where the identity lies to which a node rotates: beside its present one. */
export function nextPath(path: string): string {
  return `${path}.next`;
}

/**
 * The identity in a file that only its owner can read, in the clear or as an encrypted credential of
 * this machine. The caller wipes its seed.
 *
 * @param credential - the name that an encrypted one was given
 * @throws Failure `identity/missing`, `identity/too-open`, `identity/wrong-owner`,
 *   `identity/undecryptable`, `identity/malformed`
 */
export async function readIdentity(
  path: string,
  memory: Memory = noMemory,
  credential: string = identityCredential,
): Promise<Identity> {
  const bytes = await readIdentityFile(path);
  return isEncryptedCredential(bytes)
    ? parseAndWipe(await decrypt(path, bytes, credential), path, memory)
    : parseAndWipe(bytes, path, memory);
}

/**
 * As {@link readIdentity}, and after it the next one, where the node that has it rotates.
 *
 * @throws Failure as {@link readIdentity}
 */
export async function readIdentities(path: string, memory: Memory = noMemory): Promise<Identity[]> {
  const current = await readIdentity(path, memory);
  try {
    return [current, await readIdentity(nextPath(path), memory, nextIdentityCredential)];
  } catch (error) {
    if (error instanceof Failure && error.code === "identity/missing") return [current];
    wipe(current.seed);
    throw error;
  }
}

/**
 * A node's identities: what systemd has decrypted for this process, or else what the configuration
 * names. The first is there; the second only while the node rotates.
 *
 * @param credentialsDirectory - of this process, never of a service that it is to launch
 * @throws Failure as {@link readIdentity}
 */
export async function readNodeIdentities(
  { configuration }: Located<NodeConfiguration>,
  credentialsDirectory: string | undefined,
  memory: Memory = noMemory,
): Promise<Identity[]> {
  const found: Identity[] = [];
  for (const name of [identityCredential, nextIdentityCredential]) {
    if (credentialsDirectory === undefined) break;
    const path = join(credentialsDirectory, name);
    const bytes = await readRegularFile(path, maxIdentitySize);
    if (bytes !== undefined) found.push(parseAndWipe(bytes, path, memory));
  }
  return found.length > 0 ? found : readIdentities(configuration.identity, memory);
}

function parseAndWipe(bytes: Uint8Array, path: string, memory: Memory): Identity {
  try {
    const own = memory.recall("identity", [bytes], () => parseIdentityFile(bytes, path));
    // What is remembered stays; the caller wipes his own.
    return memory.keeps ? { ...own, seed: own.seed.slice() } : own;
  } finally {
    wipe(bytes);
  }
}

async function decrypt(path: string, bytes: Uint8Array, credential: string): Promise<Uint8Array> {
  const identity = await decryptCredential(credential, bytes);
  if (identity !== undefined) return identity;
  throw new Failure(
    "identity/undecryptable",
    `${path} can't be decrypted: encrypted on another machine, under another name than ${credential}, or altered`,
  );
}
