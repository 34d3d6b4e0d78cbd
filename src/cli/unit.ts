import { Option, type Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { Failure } from "../failure.ts";

interface Flags {
  readonly for: string;
  readonly wrap?: string;
  readonly output?: string;
}

/** `unit`: the unit of a service, or a drop-in for one that is there. */
export function addUnit(program: Command): void {
  const command = program
    .command("unit")
    .description(
      "Write the unit that starts a service with its secrets, hardened by default, from a service file.\n" +
        "Or, with --wrap, a drop-in that gives an existing unit its secrets, and show what it changes.",
    )
    .argument("[service.json]", "the service file")
    .addOption(
      new Option("--for <manager>", "what starts the service")
        .choices(["systemd"])
        .default("systemd"),
    )
    .option("--output <file>", "where to write; - for standard output");
  addGuidance(command, {
    examples: ["sealaunch unit dns.json --for systemd"],
    runsOn: "laptop, CI",
    needs: "nothing",
  });
  command.action(async (path: string | undefined, flags: Flags) => {
    if (path === undefined) {
      throw new Failure(
        "usage/invalid",
        "there is no service file",
        "sealaunch unit SERVICE.json --for systemd",
      );
    }
    const { unit } = await import("../commands/unit.ts");
    await unit(createContext(command), path, flags);
  });
}
