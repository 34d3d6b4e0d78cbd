import { utf8 } from "../../crypto/bytes.ts";
import { Failure } from "../../failure.ts";
import { replaceInCib, type ReplacedCib } from "../../formats/schedulers/pacemaker.ts";
import { printable } from "../../printable.ts";

/**
 * Runs a program as root on a node of the cluster, here or over SSH.
 *
 * @param input - its standard input
 */
export type RunOnNode = (
  program: "cibadmin" | "crm_mon" | "crm_resource",
  args: readonly string[],
  input?: Uint8Array,
) => Promise<{
  readonly exitCode: number | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}>;

/** What cibadmin ends with where the configuration is newer than the one that was read (crm/common/results.h). */
const oldData = 103;

/** How often it is done over what others have changed meanwhile. */
const tries = 5;

/** What the configuration has of a service. @throws Failure `scheduler/unavailable`, `scheduler/malformed` */
export async function readPart(run: RunOnNode, name: string): Promise<ReplacedCib> {
  const read = await run("cibadmin", ["--query"]);
  if (read.exitCode !== 0) throw unavailable("cibadmin", read.stderr);
  return replaceInCib(read.stdout, name, undefined);
}

/**
 * After it, the configuration has this of a service, of which nothing is left that was there before; or nothing of
 * it if that is undefined.
 *
 * @throws Failure `scheduler/conflict` if somebody else changed the service meanwhile; `scheduler/refused`,
 *   `scheduler/unavailable`, `scheduler/malformed`
 */
export async function changePart(
  run: RunOnNode,
  name: string,
  configuration: Uint8Array | undefined,
): Promise<void> {
  let first: string | undefined;
  for (let left = tries; ; left--) {
    const read = await run("cibadmin", ["--query"]);
    if (read.exitCode !== 0) throw unavailable("cibadmin", read.stderr);
    const { whole, before } = replaceInCib(read.stdout, name, configuration);
    first ??= before;
    // It is refused if the one that was read isn't the newest any more.
    const written = await run("cibadmin", ["--replace", "--xml-pipe"], utf8(whole));
    if (written.exitCode === 0) return;
    const message = `Pacemaker doesn't take the configuration of ${name}: ${lastLine(written.stderr)}`;
    if (written.exitCode !== oldData) throw new Failure("scheduler/refused", message);
    // What nodes report of themselves and what is configured of other services is no conflict.
    if (before !== first || left === 0) throw new Failure("scheduler/conflict", message);
  }
}

/** A program of Pacemaker's that fails. */
export function unavailable(program: string, stderr: string): Failure {
  return new Failure(
    "scheduler/unavailable",
    `Pacemaker's ${program} fails: ${lastLine(stderr)}`,
    "see 'systemctl status pacemaker' there",
  );
}

function lastLine(text: string): string {
  const lines = text.trim().split("\n");
  return printable(
    (lines.findLast((line) => line.includes("failed")) ?? lines.at(-1) ?? "").slice(0, 300),
  );
}
