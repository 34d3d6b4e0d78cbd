import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

interface Flags {
  readonly mirror?: string;
  readonly watch: boolean;
  readonly to?: string;
  readonly from?: string;
  readonly ssh?: readonly string[];
  readonly held: boolean;
}

/** `sync`: what a node needs of its source, and what it has written for others. */
export function addSync(program: Command): void {
  const command = program
    .command("sync")
    .description(
      "Bring what this node needs of its source into its mirror, verified, and what the node has written " +
        "for others into the source. Needs no identity: it runs as a user of its own. In a checkout, " +
        "--to, --from and --ssh do the same for nodes that reach no source.",
    )
    .option("--mirror <dir>", "where the mirror is, instead of what node.json says")
    .option("--watch", "go on until told to end, and answer who misses a bundle", false)
    .option("--to <dir>", "in a checkout: put what all nodes need into a directory")
    .option(
      "--from <dir>",
      "on a node: read that directory instead of the source, - for standard input; in a checkout: take " +
        "cards, and entries and headers that are owed, from it",
    )
    .option(
      "--ssh <host...>",
      "in a checkout: bring into the mirror of each node what it lacks, as root there, and take back",
    )
    .option("--held", "on a node: say what the mirror has, for --ssh, on standard output", false);
  addGuidance(command, {
    examples: [
      "sealaunch sync --config n1/node.json --mirror n1/mirror",
      "sealaunch sync --to stick",
      "sealaunch sync --config n1/node.json --mirror n1/mirror --from .",
    ],
    runsOn: "node, as the user whose the mirror is; laptop (--to, --from, --ssh)",
    needs: "nothing",
  });
  command.action(async (flags: Flags) => {
    const context = createContext(command);
    const { mirror, watch: watches, to, from, ssh, held } = flags;
    const ways = [to, from, ssh, watches || undefined, held || undefined].filter(
      (way) => way !== undefined,
    );
    if (ways.length > 1) {
      throw new Failure(
        "usage/invalid",
        "--watch, --to, --from, --ssh and --held exclude each other",
        "give one of them",
      );
    }
    if (held) {
      const { tellHeld } = await import("../commands/sync/held.ts");
      await tellHeld(context, mirror);
    } else if (ssh !== undefined) {
      const { syncOverSsh } = await import("../commands/sync/ssh.ts");
      await syncOverSsh(context, ssh);
    } else if (to !== undefined) {
      const { syncTo } = await import("../commands/sync/elsewhere.ts");
      await syncTo(context, to);
    } else {
      const { sync } = await import("../commands/sync/sync.ts");
      await sync(context, { mirror, watches, from });
    }
  });
}
