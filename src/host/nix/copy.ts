import { Failure } from "../../failure.ts";
import { findProgram, run } from "../process.ts";
import { sshEnvironment, type SshEnvironment } from "../ssh/ssh.ts";
import type { Remote } from "../ssh/remote.ts";

const copiedWithinMs = 3_600_000;

/**
 * After it, another machine's store has closures of this one's. Root there takes it unsigned, since it comes
 * by way of ssh (nix-copy-closure(1)).
 *
 * @param root - of the store that it is copied from, if it isn't this machine's
 * @throws Failure `ssh/failed`, with what was said last; `program/missing`
 */
export async function copyClosures(
  { host, options = [] }: Remote,
  storePaths: readonly string[],
  environment: SshEnvironment,
  root?: string,
): Promise<void> {
  const { exitCode, stderr } = await run(
    await findProgram("nix-copy-closure"),
    ["--gzip", "--to", host, ...storePaths],
    {
      // Its options are words without blanks: paths of a temporary directory, and names of nodes.
      environment: {
        ...sshEnvironment(environment),
        NIX_SSHOPTS: ["-T", ...options].join(" "),
        ...(root === undefined ? {} : { NIX_REMOTE: root }),
      },
      timeoutMs: copiedWithinMs,
    },
  );
  if (exitCode === 0) return;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  throw new Failure("ssh/failed", `${storePaths.join(", ")} can't be copied to ${host}: ${said}`);
}
