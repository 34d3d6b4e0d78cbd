import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `status`: which services run on old secrets. */
export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description(
      "Tell of each running service which generation of its bundles it has, which is the newest, and\n" +
        "which of its values should be replaced. Ends with 0 if all are current, with 75 if a restart\n" +
        "mends it, with 77 if something has to be sealed first.",
    )
    .argument("[unit...]", "the services; all that run by default")
    .option("--restart-stale", "restart those that are behind, one after the other");
  addGuidance(command, {
    examples: ["sealaunch status", "sealaunch status --restart-stale"],
    needsSystemd: true,
    runsOn: "node, as root",
    needs: "nothing; with --restart-stale the node's identity",
  });
  command.action(async (units: string[], flags: { readonly restartStale?: boolean }) => {
    const { status } = await import("../commands/status.ts");
    await status(createContext(command), units, { restartStale: flags.restartStale === true });
  });
}
