import { access } from "node:fs/promises";
import {
  identityCredential,
  nextIdentityCredential,
  nextPath,
  readIdentity,
} from "../../cluster/identities.ts";
import { wipe } from "../../crypto/bytes.ts";
import { createIdentity } from "../../crypto/identity.ts";
import type { Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { readIdentityFile, removeFile, writeFileAtomic } from "../../host/files.ts";
import {
  decryptCredential,
  encryptCredential,
  isEncryptedCredential,
  protectionOf,
  type CredentialKey,
} from "../../host/systemd/creds.ts";
import { restartIfRunning } from "../../host/systemd/jobs.ts";
import type { Context } from "../context.ts";
import { createIdentityCredential, createIdentityFile } from "./file.ts";
import { ownCredential } from "./home.ts";

const agentService = "sealaunch-agent.service";

/** What a credential is encrypted to, as it is asked for. */
function keyOf(credential: Uint8Array): CredentialKey {
  const protection = protectionOf(credential);
  if (protection === undefined) return "auto";
  if (!protection.tpm) return "host";
  return protection.hostKey ? "host+tpm2" : "tpm2";
}

/**
 * After it, the next identity lies beside the one at `path`, kept in the same way. One that lies there
 * already stays: whoever was stopped goes on with it.
 *
 * @returns its recipient
 * @throws Failure `identity/…`, `write/refused`
 */
export async function makeNextIdentity(context: Context, path: string): Promise<Recipient> {
  const place = nextPath(path);
  const present = await access(place).then(
    () => true,
    () => false,
  );
  if (!present) {
    const current = await readIdentityFile(path);
    const identity = createIdentity();
    try {
      if (isEncryptedCredential(current)) {
        await createIdentityCredential(place, identity, keyOf(current), nextIdentityCredential);
      } else await createIdentityFile(place, identity, context.now);
    } finally {
      wipe(current, identity.seed);
    }
  }
  const identity = await readIdentity(place, undefined, nextIdentityCredential);
  wipe(identity.seed);
  return identity.recipient;
}

/**
 * After it, the next identity is the one at `path`, and the one before is gone. Durable at every
 * moment: the next lies in one place or in both.
 *
 * @throws Failure `identity/…`, `write/refused`
 */
export async function adoptNextIdentity(path: string): Promise<void> {
  const next = await readIdentityFile(nextPath(path));
  const own = isEncryptedCredential(next) ? await renamed(path, next) : next;
  try {
    await writeFileAtomic(path, own, 0o400);
  } finally {
    wipe(next);
  }
  await removeFile(nextPath(path));
}

/** The credential under the name of the present one, which it says inside. */
async function renamed(path: string, credential: Uint8Array): Promise<Uint8Array> {
  const identity = await decryptCredential(nextIdentityCredential, credential);
  const own =
    identity && (await encryptCredential(identityCredential, identity, keyOf(credential)));
  if (identity !== undefined) wipe(identity);
  if (own !== undefined) return own;
  throw new Failure(
    "identity/undecryptable",
    `${nextPath(path)} can't be encrypted anew as ${path}`,
  );
}

/**
 * After it, a running agent has this machine's identities as they lie there now. It takes them when it
 * begins; one that reads them from a plain file does so at every start of a unit.
 *
 * @throws Failure `agent/unavailable`
 */
export async function renewAgent(context: Context, path: string): Promise<void> {
  if (path !== ownCredential) return;
  if (await restartIfRunning(agentService)) return;
  context.warn(`${agentService} has the identities of before until it is restarted`);
  throw new Failure(
    "agent/unavailable",
    `${agentService} couldn't be restarted`,
    `systemctl restart ${agentService}, then run the command again`,
  );
}
