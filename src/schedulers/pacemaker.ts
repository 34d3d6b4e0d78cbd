import { utf8 } from "../crypto/bytes.ts";
import { Failure } from "../failure.ts";
import { decodePacemakerStanding, replaceInCib } from "../formats/schedulers/pacemaker.ts";
import { printable } from "../printable.ts";
import { waitUntilRunning, type Patience, type Standing } from "./running.ts";

/**
 * Runs a program as root on a node of the cluster, here or over SSH.
 *
 * @param input - its standard input
 */
export type RunOnNode = (
  program: "cibadmin" | "crm_mon",
  args: readonly string[],
  input?: Uint8Array,
) => Promise<{
  readonly exitCode: number | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}>;

/** What Pacemaker is to run. */
export interface PacemakerService {
  readonly name: string;
  readonly instances: number | "every node";
  /** As `sealaunch unit --for pacemaker` writes it. */
  readonly configuration: Uint8Array;
}

/** What cibadmin ends with where the configuration is newer than the one that was read (crm/common/results.h). */
const oldData = 103;

/** How often it is done over what others have changed meanwhile. */
const tries = 5;

/**
 * After it, Pacemaker runs the service as its configuration says, of which nothing is left that was there
 * before. The unit has to be on the nodes already; what runs of it is left alone where it may stay.
 *
 * @param deadlineMs - from when Pacemaker has taken it
 * @returns the nodes on which it runs
 * @throws Failure `scheduler/conflict` if somebody else changed the service meanwhile;
 *   `scheduler/refused`, `scheduler/not-running`, `scheduler/unavailable`, `scheduler/malformed`
 */
export async function submitToPacemaker(
  run: RunOnNode,
  service: PacemakerService,
  patience: Patience,
): Promise<readonly string[]> {
  await change(run, service.name, service.configuration);
  return waitUntilRunning(`${service.name} of Pacemaker`, patience, async () => {
    const { exitCode, stdout, stderr } = await run("crm_mon", ["--one-shot", "--output-as=xml"]);
    if (exitCode !== 0) throw unavailable("crm_mon", stderr);
    return standing(service, stdout);
  });
}

/** After it, Pacemaker has nothing of the service, and stops what runs of it. @throws Failure `scheduler/…` */
export function removeFromPacemaker(run: RunOnNode, name: string): Promise<void> {
  return change(run, name, undefined);
}

async function change(
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

function standing({ name, instances }: PacemakerService, printed: Uint8Array): Standing {
  const found = decodePacemakerStanding(printed, [name, `every.${name}`]);
  const { online, started, banned, failures } = found;
  const open = online.filter((node) => !banned.includes(node));
  const needed = instances === "every node" ? Math.max(1, open.length) : instances;
  if (started.length >= needed) return { nodes: [...started].sort() };
  if (failures.length > 0) return { why: failures.map(printable).join("; ") };
  const counted = `${String(started.length)} of ${String(needed)} run`;
  return {
    why:
      open.length === 0 ? `${counted}; no node that is there may run it` : `${counted}; no failure`,
  };
}

function unavailable(program: string, stderr: string): Failure {
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
