import { findProgram, run } from "../process.ts";

// Encrypted credentials as systemd-creds(1) writes them: base64, and at its beginning which of the
// machine's secrets they need. Clear bytes pass through pipes alone.

/** What a credential may be encrypted to, as `systemd-creds --with-key=` calls it. */
export type CredentialKey = "auto" | "host" | "tpm2" | "host+tpm2";

/** What it takes to decrypt a credential. */
export interface Protection {
  readonly tpm: boolean;
  /** `/var/lib/systemd/credential.secret`. */
  readonly hostKey: boolean;
}

/** The first 16 bytes, by what the rest is encrypted to (systemd's creds-util.h, since 250). */
const protections: Readonly<Record<string, Protection>> = {
  "5a1c6a86df9d4096b1d5a65e0862f19a": { tpm: false, hostKey: true },
  "0c7cc07b117645919c4b0bea08bc20fe": { tpm: true, hostKey: false },
  "93a894094874449090caf2fc93cab553": { tpm: true, hostKey: true },
  // The same two with a signed policy.
  faf7eb9341e3412ca1a436f95a29362f: { tpm: true, hostKey: false },
  af4950a849134eb1a73846304ff30c05: { tpm: true, hostKey: true },
};

/** A TPM that doesn't answer must not hold up a start for ever. */
const timeoutMs = 60_000;

/** Whether `bytes` are an encrypted credential and no identity's text, which has a `-`. */
export function isEncryptedCredential(bytes: Uint8Array): boolean {
  return /^[A-Za-z0-9+/\s]{64,}=*\s*$/u.test(Buffer.from(bytes).toString("latin1"));
}

/** What it takes to decrypt a credential, or undefined where that isn't known. */
export function protectionOf(credential: Uint8Array): Protection | undefined {
  const raw = Buffer.from(Buffer.from(credential).toString("latin1"), "base64");
  return protections[raw.toString("hex", 0, 16)];
}

/**
 * `bytes` as a credential of that name, which only this machine decrypts; or undefined if
 * systemd-creds refuses: not root, no TPM though one was asked for, no place for a host key.
 *
 * @throws Failure `program/missing`
 */
export async function encryptCredential(
  name: string,
  bytes: Uint8Array,
  key: CredentialKey,
): Promise<Uint8Array | undefined> {
  const words = ["encrypt", `--name=${name}`, `--with-key=${key}`, "-", "-"];
  return systemdCreds(words, bytes);
}

/**
 * What a credential of that name holds, which the caller wipes; or undefined if this machine can't
 * decrypt it: another machine's, another credential's, altered.
 *
 * @throws Failure `program/missing`
 */
export async function decryptCredential(
  name: string,
  credential: Uint8Array,
): Promise<Uint8Array | undefined> {
  return systemdCreds(["decrypt", `--name=${name}`, "-", "-"], credential);
}

async function systemdCreds(
  words: readonly string[],
  input: Uint8Array,
): Promise<Uint8Array | undefined> {
  const { exitCode, stdout } = await run(await findProgram("systemd-creds"), words, {
    input,
    timeoutMs,
    diesWithUs: true,
  });
  return exitCode === 0 ? stdout : undefined;
}
