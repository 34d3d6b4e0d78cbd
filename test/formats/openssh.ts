import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSignerKey, type SignerKey } from "../../src/formats/sshsig/public-key.ts";

// OpenSSH's real programs, in a folder of their own.

/** A folder for keys and signatures, removed with {@link removeFolder}. */
export function createFolder(): string {
  return mkdtempSync(join(tmpdir(), "sealaunch-openssh-"));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

interface RunOptions {
  readonly input?: Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
}

interface Ran {
  readonly status: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Ran {
  const { status, stdout, stderr } = spawnSync(program, args, {
    input: options.input ?? new Uint8Array(0),
    env: { PATH: process.env["PATH"] ?? "", ...options.environment },
  });
  return { status, stdout: new Uint8Array(stdout), stderr: stderr.toString() };
}

/** Makes a key pair without passphrase; gives the path of its private half. */
export function createKey(folder: string, type: string, name = type): string {
  const path = join(folder, name);
  const { status, stderr } = runProgram("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", path]);
  if (status !== 0) throw new Error(`ssh-keygen -t ${type} failed: ${stderr}`);
  return path;
}

export function publicLine(path: string): string {
  return readFileSync(`${path}.pub`, "utf8");
}

export function publicKey(path: string): SignerKey {
  return parseSignerKey(publicLine(path), path);
}

/** The armoured signature that `ssh-keygen -Y sign` makes. */
export function signWithKeygen(
  keyFile: string,
  namespace: string,
  message: Uint8Array,
  options: { hash?: string; environment?: Readonly<Record<string, string>> } = {},
): Uint8Array {
  const { hash, environment } = options;
  const args = ["-Y", "sign", "-f", keyFile, "-n", namespace];
  if (hash !== undefined) args.push("-O", `hashalg=${hash}`);
  const run = { input: message, ...(environment === undefined ? {} : { environment }) };
  const { status, stdout, stderr } = runProgram("ssh-keygen", args, run);
  if (status !== 0) throw new Error(`ssh-keygen -Y sign failed: ${stderr}`);
  return stdout;
}

/** Whether `ssh-keygen -Y verify` accepts a signature, by an allowed_signers file with one line. */
export function keygenVerifies(
  folder: string,
  signer: string,
  namespace: string,
  message: Uint8Array,
  armoured: Uint8Array,
): boolean {
  const allowed = join(folder, "allowed_signers");
  const signature = join(folder, "signature");
  writeFileSync(allowed, `somebody namespaces="${namespace}" ${signer.trim()}\n`);
  writeFileSync(signature, armoured);
  const args = ["-Y", "verify", "-f", allowed, "-I", "somebody", "-n", namespace, "-s", signature];
  return runProgram("ssh-keygen", args, { input: message }).status === 0;
}
