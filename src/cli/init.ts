import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { collect, count } from "./options.ts";

interface Flags {
  readonly root: string[];
  readonly threshold: number;
  readonly operator: string[];
  readonly signer?: string;
}

/** `init`: how a cluster begins. */
export function addInit(program: Command): void {
  const command = program
    .command("init")
    .description(
      "Begin a new cluster in this directory: its root keys, its operators, its first roster. " +
        "Writes sealaunch.json, .gitattributes and keys/, and overwrites nothing.",
    )
    .option(
      "--root <key.pub>",
      "an SSH key that decides whom the cluster trusts; repeat for several (the one you hold)",
      collect,
      [],
    )
    .option("--threshold <n>", "how many of the root keys must sign a roster (1)", count, 1)
    .option(
      "--operator <[name=]recipient>",
      "who can open everything when nodes can't: age1pq1…, or a file with it or with the identity",
      collect,
      [],
    )
    .option("--signer <key.pub>", "the root key to sign with, where you hold several")
    .option("--yes", "sign without asking", false);
  addGuidance(command, {
    examples: ["sealaunch init --operator operator.identity --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (flags: Flags) => {
    const { init } = await import("../commands/init/init.ts");
    await init(createContext(command), {
      roots: flags.root,
      threshold: flags.threshold,
      operators: flags.operator,
      signer: flags.signer,
    });
  });
}
