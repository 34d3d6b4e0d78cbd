import { dirname } from "node:path";
import { identityCredential } from "../../cluster/identities.ts";
import { concatBytes, utf8, wipe } from "../../crypto/bytes.ts";
import { encodeIdentity, type Identity } from "../../crypto/identity.ts";
import { Failure } from "../../failure.ts";
import { formatTime } from "../../formats/fields.ts";
import { createFileExclusive } from "../../host/files.ts";
import {
  encryptCredential,
  protectionOf,
  type CredentialKey,
  type Protection,
} from "../../host/systemd/creds.ts";

const secretMode = 0o400;
const publicMode = 0o644;

/**
 * After it, `path` holds the identity as `age-keygen -pq` writes one, for its owner's eyes only.
 *
 * @throws Failure `usage/exists`, `write/refused`
 */
export async function createIdentityFile(
  path: string,
  identity: Identity,
  now: Date,
): Promise<void> {
  const comments = `# created: ${formatTime(now)}\n# public key: ${identity.recipient}\n`;
  const line = encodeIdentity(identity);
  const bytes = concatBytes(utf8(comments), line, utf8("\n"));
  try {
    await create(path, bytes, secretMode);
  } finally {
    wipe(line, bytes);
  }
}

/**
 * After it, `path` holds the identity as a credential that this machine alone decrypts.
 *
 * @param name - of the credential
 * @returns what it takes to decrypt it, or undefined where that isn't known
 * @throws Failure `usage/exists`, `write/refused`, `identity/unprotected`, `program/missing`
 */
export async function createIdentityCredential(
  path: string,
  identity: Identity,
  key: CredentialKey,
  name: string = identityCredential,
): Promise<Protection | undefined> {
  const line = encodeIdentity(identity);
  const bytes = concatBytes(line, utf8("\n"));
  try {
    const credential = await encryptCredential(name, bytes, key);
    if (credential === undefined) {
      throw new Failure(
        "identity/unprotected",
        `systemd-creds didn't encrypt the identity with ${key}`,
      );
    }
    await create(path, credential, secretMode);
    return protectionOf(credential);
  } finally {
    wipe(line, bytes);
  }
}

/** After it, `path` holds `bytes` for everybody. @throws Failure `usage/exists`, `write/refused` */
export function createPublicFile(path: string, bytes: Uint8Array): Promise<void> {
  return create(path, bytes, publicMode);
}

async function create(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  if (!(await createFileExclusive(path, bytes, mode))) refuseOverwriting(path);
}

/** @throws Failure `usage/exists` */
export function refuseOverwriting(path: string): never {
  throw new Failure(
    "usage/exists",
    `${path} is there already`,
    `nothing is overwritten: choose another place than ${dirname(path)}, or move what is there away`,
  );
}
