import type { Command } from "commander";
import type { EditOptions } from "../commands/seal/edit.ts";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `edit`: a credential's value, for who can read and sign it. */
export function addEdit(program: Command): void {
  const command = program
    .command("edit")
    .description(
      "Open one credential in the editor that VISUAL or EDITOR names, and seal what you " +
        "make of it. Meanwhile it is in a file in memory that you alone can reach.",
    )
    .argument("<name>", "the bundle")
    .argument("<credential>", "the credential")
    .requiredOption(
      "--identity <file>",
      "an operator's or member's identity, such as that of a person in a pool of people; - for standard input",
    )
    .option("--signer <key.pub>", "the key to sign with, where you hold several");
  addGuidance(command, {
    examples: ["sealaunch edit dns CF_TOKEN --identity operator.identity"],
    runsOn: "laptop",
    needs: "a signer whom the roster allows the name, and an identity that opens it",
  });
  command.action(async (name: string, credential: string, flags: EditOptions) => {
    const { edit } = await import("../commands/seal/edit.ts");
    const { identity, signer } = flags;
    await edit(createContext(command), name, credential, { identity, signer });
  });
}
