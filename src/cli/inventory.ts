import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `inventory`: what this machine's store has, and what uses it. */
export function addInventory(program: Command): void {
  const command = program
    .command("inventory")
    .description(
      "Tell what this machine's store has, what keeps it there, and which services use it. With --host-key " +
        "it is signed and put where 'sync' brings it into the source, for 'scan'. It changes nothing in the " +
        "store, and holds no secret.",
    )
    .option("--host-key <file>", "sign it for the source with the node's SSH host key")
    .option("--save <file>", "write it to a file, for 'scan --dump' elsewhere");
  addGuidance(command, {
    examples: [
      "sealaunch inventory --save n1.inventory",
      "sealaunch inventory --config n1/node.json --host-key n1_host_key",
    ],
    runsOn: "node, as root",
    needs: "nothing; with --host-key the node's SSH host key",
  });
  command.action(async (flags: { readonly hostKey?: string; readonly save?: string }) => {
    const { inventory } = await import("../commands/scan/inventory.ts");
    await inventory(createContext(command), { hostKey: flags.hostKey, save: flags.save });
  });
}
