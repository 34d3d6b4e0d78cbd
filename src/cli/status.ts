import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

interface Flags {
  readonly restartStale?: boolean;
  readonly pool?: string;
  readonly bundle?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

const defaultTimeout = "600";

/** `status`: which services run on old secrets. */
export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description(
      "Tell of each running service which generation of its bundles it has, which is the newest, and " +
        "which of its values should be replaced. Ends with 0 if all are current, with 75 if a restart " +
        "mends it, with 77 if something has to be sealed first.\n" +
        "In a repository, with --pool or --bundle: what the members of a pool run, by what they have " +
        "reported themselves; ends with 75 if one is behind, or says nothing.",
    )
    .argument("[unit...]", "the services; all that run by default")
    .option("--restart-stale", "restart those that are behind, one after the other")
    .option("--pool <pool>", "what the members of this pool run")
    .option("--bundle <name>", "what runs on this bundle; NAME@17+: 17 is new enough")
    .option("--wait", "with --pool or --bundle: wait until nobody is behind")
    .option("--timeout <seconds>", `with --wait: for how long (${defaultTimeout})`);
  addGuidance(command, {
    examples: [
      "sealaunch status",
      "sealaunch status --restart-stale",
      "sealaunch status --pool web",
      "sealaunch status --bundle dns --wait --timeout 900",
    ],
    needsSystemd: true,
    runsOn: "node, as root; laptop, CI (--pool, --bundle)",
    needs: "nothing; with --restart-stale the node's identity",
  });
  command.action(async (units: string[], flags: Flags) => {
    const context = createContext(command);
    const { pool, bundle, wait = false, timeout, restartStale = false } = flags;
    if (pool === undefined && bundle === undefined) {
      if (wait || timeout !== undefined) throw misused("--wait and --timeout");
      const { status } = await import("../commands/status/status.ts");
      await status(context, units, { restartStale });
      return;
    }
    if (units.length > 0 || restartStale || (timeout !== undefined && !wait)) {
      throw new Failure(
        "usage/invalid",
        "--pool and --bundle ask members for reports, which takes no unit, no --restart-stale, and --timeout only with --wait",
        "sealaunch status --bundle NAME --wait --timeout 600",
      );
    }
    const { statusOfMembers } = await import("../commands/status/members.ts");
    await statusOfMembers(context, { pool, bundle, wait, timeout: timeout ?? defaultTimeout });
  });
}

function misused(options: string): Failure {
  return new Failure(
    "usage/invalid",
    `${options} are for --pool and --bundle`,
    "sealaunch status --bundle NAME --wait",
  );
}
