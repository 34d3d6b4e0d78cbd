import { Failure } from "../../failure.ts";
import { knownHostKeys } from "./known-hosts.ts";
import { findProgram, run } from "../process.ts";
import { sshEnvironment, type SshEnvironment } from "./ssh.ts";

const answersWithinMs = 300_000;

/** Where a command is run. */
export interface Remote {
  /** As ssh(1) takes it, and never an option of it. */
  readonly host: string;
  /** Further options of ssh. */
  readonly options?: readonly string[];
}

/**
 * What a command on another machine writes to its standard output, given `input`.
 *
 * @throws Failure `ssh/failed`, with what it said last; `program/missing`
 */
export async function runOverSsh(
  { host, options = [] }: Remote,
  command: string,
  input: Uint8Array,
  environment: SshEnvironment,
): Promise<Uint8Array> {
  const { exitCode, timedOut, stdout, stderr } = await run(
    await findProgram("ssh"),
    ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", ...options, "--", host, command],
    { input, environment: sshEnvironment(environment), timeoutMs: answersWithinMs },
  );
  if (exitCode === 0) return stdout;
  const lines = stderr.trim().split("\n");
  const said = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1) ?? "";
  const how = timedOut ? "didn't end in time" : `ended with ${String(exitCode ?? "a signal")}`;
  throw new Failure(
    "ssh/failed",
    `${host} ${how}: ${said.replace(/^error: /u, "")}`,
    `try it by hand: ssh ${host} sealaunch sync --help`,
  );
}

/**
 * Settings of ssh by which files of known hosts alone say who a host is, whatever the user's settings say: an
 * open connection that is shared was judged by whoever opened it, and DNS is whoever's that answers.
 */
export const judgedByFiles = [
  "StrictHostKeyChecking=yes",
  "ControlPath=none",
  "VerifyHostKeyDNS=no",
] as const;

/** Only a host whose ed25519 key is known already is talked to. */
export const onlyKnown = ["HostKeyAlgorithms=ssh-ed25519", ...judgedByFiles].flatMap((option) => [
  "-o",
  option,
]);

/**
 * The host keys, as `TYPE BASE64`, by which ssh knows a host: with {@link onlyKnown} the one that it has shown
 * is among them.
 *
 * @param host - as ssh(1) takes it
 * @throws Failure `ssh/failed` if ssh can't say where it looks; `source/unreadable`, `program/missing`
 */
export async function keysKnownToSsh(host: string, environment: SshEnvironment): Promise<string[]> {
  const { exitCode, stdout } = await run(await findProgram("ssh"), ["-G", "--", host], {
    environment: sshEnvironment(environment),
  });
  // ssh_config(5): one setting a line, its name in lower case.
  const settings = new Map(
    new TextDecoder()
      .decode(stdout)
      .split("\n")
      .map((line) => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)]),
  );
  const { hostname, port, hostkeyalias } = Object.fromEntries(settings);
  if (exitCode !== 0 || hostname === undefined || port === undefined) {
    throw new Failure("ssh/failed", `ssh -G ${host} doesn't tell how it is reached`);
  }
  const name = hostkeyalias ?? (port === "22" ? hostname : `[${hostname}]:${port}`);
  const files = ["userknownhostsfile", "globalknownhostsfile"].flatMap((setting) =>
    (settings.get(setting) ?? "").split(" "),
  );
  const found = await Promise.all(
    files
      .filter((file) => file.startsWith("/"))
      .map((file) => knownHostKeys(name, file).catch(unlessUnreadable)),
  );
  return found.flat();
}

/** Most of the files that ssh would look into aren't there. */
function unlessUnreadable(error: unknown): string[] {
  if (error instanceof Failure && error.code === "source/unreadable") return [];
  throw error;
}
