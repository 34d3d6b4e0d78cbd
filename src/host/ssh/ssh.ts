import { mkdtemp, rmdir, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../failure.ts";
import { findProgram, run } from "../process.ts";

// OpenSSH's own programs sign, so that agents, passphrases and security keys work as people know
// them (ssh-keygen(1), ssh-add(1)).

/** The variables that reach ssh-keygen, ssh-add and git: where the agent and the terminal are. */
export type SshEnvironment = Readonly<Record<string, string | undefined>>;

const passed = [
  "HOME",
  "PATH",
  "SSH_AUTH_SOCK",
  "SSH_ASKPASS",
  "SSH_ASKPASS_REQUIRE",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "TERM",
  "GIT_CONFIG_GLOBAL",
] as const;

/** Of these variables, those that are set. */
export function sshEnvironment(environment: SshEnvironment): Record<string, string> {
  return Object.fromEntries(
    passed.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/**
 * The armoured SSHSIG over `message` by the key in `keyFile`.
 *
 * @param keyFile - a private key, or the public half of one that the agent holds
 * @param namespace - what the signature is for
 * @throws Failure `signer/failed`, `program/missing`
 */
export async function sign(
  keyFile: string,
  namespace: string,
  message: Uint8Array,
  environment: SshEnvironment,
): Promise<Uint8Array> {
  // From standard input to standard output: with a file it asks before it overwrites FILE.sig.
  const { exitCode, stdout, stderr } = await run(
    await findProgram("ssh-keygen"),
    ["-Y", "sign", "-f", keyFile, "-n", namespace],
    { input: message, environment: sshEnvironment(environment) },
  );
  if (exitCode === 0) return stdout;
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  if (stderr.includes("agent refused operation")) {
    throw new Failure(
      "signer/failed",
      `the agent refused to sign with ${keyFile}`,
      "agents refuse for keys that are bound to destinations or must be confirmed: ssh-add the key without -h and -c",
    );
  }
  throw new Failure("signer/failed", `ssh-keygen didn't sign with ${keyFile}: ${reason}`);
}

/**
 * As {@link sign}, by the key of the agent whose public half is `publicKey`.
 *
 * @param publicKey - one line as in a `.pub` file
 */
export async function signWithAgent(
  publicKey: string,
  namespace: string,
  message: Uint8Array,
  environment: SshEnvironment,
): Promise<Uint8Array> {
  // ssh-keygen takes the public half by file only; there is nothing secret in it.
  const directory = await mkdtemp(join(tmpdir(), "sealaunch-"));
  const file = join(directory, "signer.pub");
  try {
    await writeFile(file, `${publicKey}\n`);
    return await sign(file, namespace, message, environment);
  } finally {
    await unlink(file);
    await rmdir(directory);
  }
}

/** The public keys that the agent holds, one line each; none where there is no agent. */
export async function agentKeys(environment: SshEnvironment): Promise<string[]> {
  if (environment["SSH_AUTH_SOCK"] === undefined) return [];
  const { exitCode, stdout } = await run(await findProgram("ssh-add"), ["-L"], {
    environment: sshEnvironment(environment),
  });
  return exitCode === 0 ? lines(stdout) : [];
}

/** What `git config user.signingkey` says in `directory`, where git is set to sign with SSH. */
export async function gitSigningKey(
  directory: string,
  environment: SshEnvironment,
): Promise<string | undefined> {
  const git = await findProgram("git").catch(() => undefined);
  if (git === undefined) return undefined;
  const { exitCode, stdout } = await run(git, ["config", "--get", "user.signingkey"], {
    cwd: directory,
    environment: sshEnvironment(environment),
  });
  return exitCode === 0 ? lines(stdout)[0] : undefined;
}

function lines(bytes: Uint8Array): string[] {
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .filter((line) => line !== "");
}
