import { dirname, join } from "node:path";
import { identityCredential } from "../../cluster/identities.ts";
import type { Identity } from "../../crypto/identity.ts";
import { makeDirectory } from "../../host/files.ts";
import { hasProgram } from "../../host/process.ts";
import type { CredentialKey } from "../../host/systemd/creds.ts";
import type { Context } from "../context.ts";
import { createIdentityCredential, createIdentityFile } from "./file.ts";

/** The names of what lies in a node's directory. */
export const nodeFiles = { identity: "identity", configuration: "node.json" } as const;

/** The directory of this machine's own node, and where systemd looks for its identity. */
const ownDirectory = "/etc/sealaunch";
export const ownCredential = `/etc/credstore.encrypted/${identityCredential}`;

/** Where an identity comes to lie, and what it is encrypted to; a plain file if undefined. */
export interface Home {
  readonly path: string;
  /** Whether it is this machine's own. */
  readonly isOwn: boolean;
  readonly key: CredentialKey | undefined;
}

/**
 * This machine's own identity is encrypted to it. One that is made in another directory may be for
 * another machine, which couldn't decrypt that, so there it has to be asked for.
 */
export async function chooseHome(
  context: Context,
  directory: string,
  key: CredentialKey | "plain" | undefined,
): Promise<Home> {
  const isOwn = directory === ownDirectory;
  const plain: Home = { path: join(directory, nodeFiles.identity), isOwn, key: undefined };
  if (key === "plain" || (key === undefined && !isOwn)) return plain;
  if (key === undefined && !(await hasProgram("systemd-creds"))) {
    context.warn("this machine has no systemd-creds, so its identity isn't encrypted");
    return plain;
  }
  return {
    isOwn,
    path: isOwn ? ownCredential : join(directory, `${nodeFiles.identity}.cred`),
    key: key ?? "auto",
  };
}

/** After it, the identity lies there, and it was said who has it that has the disk. */
export async function createIn(
  context: Context,
  { path, isOwn, key }: Home,
  identity: Identity,
): Promise<void> {
  if (key === undefined) {
    await createIdentityFile(path, identity, context.now);
    if (isOwn) context.warn(`${path} is a plain file: a stolen disk opens all that this node may`);
    return;
  }
  // As systemd itself makes its credential stores.
  if (isOwn) await makeDirectory(dirname(path), 0o700);
  const protection = await createIdentityCredential(path, identity, key);
  if (protection?.tpm === true) {
    const also = protection.hostKey ? " and its host key" : "";
    context.print(`identity encrypted to this machine's TPM${also}: a copied disk opens nothing`);
  } else {
    context.warn(
      `no TPM is needed to decrypt ${path}: a stolen disk that has /var/lib/systemd/credential.secret too opens all that this node may`,
    );
  }
}
