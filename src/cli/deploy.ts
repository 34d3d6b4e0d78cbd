import { Option, type Command } from "commander";
import { ways, type WayName } from "../service/scheduled/ways.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { collect, count } from "./options.ts";

interface Flags {
  readonly pool: readonly string[];
  readonly node: readonly string[];
  readonly atOnce: number;
  readonly settle: number;
  readonly build: boolean;
  readonly publish: boolean;
  readonly copyClosure: boolean;
  readonly through?: WayName;
  readonly within?: number;
  readonly dryRun: boolean;
}

/** `deploy`: from a service file to a running service on every node of its pools. */
export function addDeploy(program: Command): void {
  const command = program
    .command("deploy")
    .description(
      "Have the nodes of a service's pools run it as its file says: what it runs is built and published, that " +
        "every node could start it is seen, and then each is changed over ssh, some at a time. A node on which " +
        "it doesn't start goes back to what it ran, and no further one is changed.\n" +
        "Or, through a scheduler that sealaunch.json names, have that place it: what ran before is ended only " +
        "when this runs, and goes on, or runs again, if it doesn't.\n" +
        "A node is only who the cluster says it is, by its signed host key. What runs as it is to is left alone.",
    )
    .argument("<service.json>", "the service file")
    .option(
      "--pool <pool>",
      "a pool; else those that its bundles are for; may be repeated",
      collect,
      [],
    )
    .option("--node <name>", "only this node of them; may be repeated", collect, [])
    .option("--at-once <number>", "how many nodes are changed at the same time", count, 1)
    .option("--settle <seconds>", "how long it has to stay up on a node", count, 5)
    .option(
      "--no-build",
      "what Nix would build for the service file was built and published before",
    )
    .option("--no-publish", "what it runs was published before: only see that the cache has it")
    .option(
      "--copy-closure",
      "copy what it runs from this machine's store, instead of by a cache",
      false,
    )
    .addOption(
      new Option(
        "--through <way>",
        "ssh, or a scheduler, which places it: fleet, nomad, marathon or pacemaker; else the one that " +
          "sealaunch.json has, or ssh",
      ).choices(ways),
    )
    .option(
      "--within <seconds>",
      "for so long a scheduler may take until it runs; else its startTimeout and a minute",
      count,
    )
    .option("--dry-run", "only show what would change on each node", false);
  addGuidance(command, {
    examples: [
      "sealaunch deploy dns.json --dry-run",
      "sealaunch deploy dns.json --at-once 3",
      "sealaunch deploy dns.json --no-build --no-publish",
      "sealaunch deploy dns.json --through nomad --within 120",
    ],
    runsOn: "laptop, CI",
    needs: "ssh to each node as root; or what the scheduler asks for, such as a token",
    needsSystemd: true,
  });
  command.action(async (path: string, flags: Flags) => {
    const { deploy } = await import("../commands/deploy/deploy.ts");
    await deploy(createContext(command), path, {
      ...flags,
      through: flags.through,
      within: flags.within,
      pools: flags.pool,
      nodes: flags.node,
      isDryRun: flags.dryRun,
    });
  });
}
