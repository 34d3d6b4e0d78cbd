import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";
import { changing, count } from "./options.ts";

interface Flags {
  readonly signer?: string;
}

/** The part of `roster` that says what counts of what was signed, and whose signatures do. */
export function addRoles(family: Command): void {
  addSetMinimum(family);
  addSetSeries(family);
}

function addSetMinimum(family: Command): void {
  const command = changing(
    family
      .command("set-minimum")
      .description(
        "Put a bundle's generations below a number out of use, wherever they are pinned: " +
          "what leaked, or was sealed wrongly. It is never lowered.",
      )
      .argument("<name>", "the bundle")
      .argument("<generation>", "the least that still counts", count),
  );
  addGuidance(command, {
    examples: ["sealaunch roster set-minimum dns 1 --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (name: string, minimum: number, { signer }: Flags) => {
    const { setMinimum } = await import("../commands/roster-names.ts");
    await setMinimum(createContext(command), name, minimum, { signer });
  });
}

function addSetSeries(family: Command): void {
  const command = changing(
    family
      .command("set-series")
      .description(
        "Begin a bundle's generations anew, where a signer used up their numbers or left a newest " +
          "one that nobody may sign any more. It is never lowered; nothing starts until it is sealed.",
      )
      .argument("<name>", "the bundle")
      .argument("<series>", "its new series, above the one before", count),
  );
  addGuidance(command, {
    examples: ["sealaunch roster set-series dns 1 --yes"],
    runsOn: "laptop",
    needs: "a root key",
  });
  command.action(async (name: string, series: number, { signer }: Flags) => {
    const { setSeries } = await import("../commands/roster-names.ts");
    await setSeries(createContext(command), name, series, { signer });
  });
}
