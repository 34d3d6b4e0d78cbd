import { Failure } from "../failure.ts";
import { findProgram, run } from "./process.ts";
import { sshEnvironment, type SshEnvironment } from "./ssh.ts";

const answersWithinMs = 300_000;

/**
 * What a command on another machine writes to its standard output, given `input`.
 *
 * @param host - as ssh(1) takes it, and never an option of it
 * @throws Failure `ssh/failed`, with what it said last; `program/missing`
 */
export async function runOverSsh(
  host: string,
  command: string,
  input: Uint8Array,
  environment: SshEnvironment,
): Promise<Uint8Array> {
  const { exitCode, timedOut, stdout, stderr } = await run(
    await findProgram("ssh"),
    ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "--", host, command],
    { input, environment: sshEnvironment(environment), timeoutMs: answersWithinMs },
  );
  if (exitCode === 0) return stdout;
  const lines = stderr.trim().split("\n");
  const said = lines.find((line) => line.startsWith("error: ")) ?? lines.at(-1) ?? "";
  const how = timedOut ? "didn't end in time" : `ended with ${String(exitCode ?? "a signal")}`;
  throw new Failure("ssh/failed", `sync on ${host} ${how}: ${said.replace(/^error: /u, "")}`);
}
