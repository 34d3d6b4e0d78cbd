import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

interface Flags {
  readonly identity?: string;
  readonly dryRun: boolean;
  readonly all: boolean;
}

/** `rewrap`: what newcomers and new epochs are owed. */
export function addRewrap(program: Command): void {
  const command = program
    .command("rewrap")
    .description(
      "Write what is owed: the entries of new nodes and operators, the headers of new epochs. " +
        "Opens no value, and changes nobody's trust. On a node, without --identity, it also ends " +
        "a rotation.",
    )
    .option(
      "--identity <file>",
      "an operator's or member's identity, - for standard input (this node's own, by its node.json)",
    )
    .option("--dry-run", "only say what is owed", false)
    .option("--all", "also write anew what is there, where it can't be opened", false);
  addGuidance(command, {
    examples: [
      "sealaunch rewrap --identity operator.identity --dry-run",
      "sealaunch rewrap --config n1/node.json",
    ],
    runsOn: "an operator's machine; a member, as root",
    needs: "an operator's or member's identity",
  });
  command.action(async (flags: Flags) => {
    const { rewrap } = await import("../commands/rewrap/rewrap.ts");
    const { identity, dryRun, all } = flags;
    await rewrap(createContext(command), { identity, dryRun, all });
  });
}
