import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `status`: which services run on old secrets. */
export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description(
      "Tell of each running service which generation of its bundles it has, and which is the newest.\n" +
        "Ends with 0 if all are current, with 75 if one is behind.",
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
