import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `sync`: what a node needs of its source, and what it has written for others. */
export function addSync(program: Command): void {
  const command = program
    .command("sync")
    .description(
      "Bring what this node needs of its source into its mirror, verified, and what the node has written " +
        "for others into the source. Needs no identity: it runs as a user of its own.",
    )
    .option("--mirror <dir>", "where the mirror is, instead of what node.json says")
    .option("--watch", "go on until told to end, and answer who misses a bundle", false);
  addGuidance(command, {
    examples: ["sealaunch sync --config n1/node.json --mirror n1/mirror"],
    runsOn: "node, as the user whose the mirror is",
    needs: "nothing",
  });
  command.action(async (flags: { readonly mirror?: string; readonly watch: boolean }) => {
    const { sync } = await import("../commands/sync.ts");
    const { mirror, watch: watches } = flags;
    await sync(createContext(command), { mirror, watches });
  });
}
