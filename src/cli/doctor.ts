import type { Command } from "commander";
import { createContext } from "./context.ts";
import { Failure } from "../failure.ts";
import { addGuidance } from "./guidance.ts";
import { collect } from "./options.ts";

interface DoctorFlags {
  readonly searchPlaintext?: boolean;
  readonly sources?: boolean;
  readonly except: readonly string[];
}

/** `doctor`: what would keep a unit from starting. */
export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description(
      "Name everything that would keep a unit from starting with its secrets, without starting it.",
    )
    .argument("[unit]", "the service; all that failed and use Sealaunch by default")
    .option(
      "--search-plaintext",
      "instead, look for the values of this node's credentials wherever they should not stand; prints places, never values",
    );
  command.option(
    "--sources",
    "instead, tell whether this checkout's or node's source answers, what may be written there, what is newest; needs no root",
  );
  command.option(
    "--except <path>",
    "what the search passes over, such as a large database; repeat for several",
    collect,
    [],
  );
  addGuidance(command, {
    examples: ["sealaunch doctor dns", "sealaunch doctor", "sealaunch doctor --search-plaintext"],
    needsSystemd: true,
    runsOn: "node, as root",
    needs: "the node's identity",
  });
  command.action(async (unit: string | undefined, flags: DoctorFlags) => {
    if (flags.searchPlaintext === true) {
      if (unit !== undefined) {
        throw new Failure(
          "usage/invalid",
          "--search-plaintext looks at the whole machine",
          "name no unit",
        );
      }
      const { searchPlaintext } = await import("../commands/doctor/search-plaintext.ts");
      await searchPlaintext(createContext(command), flags.except);
      return;
    }
    if (flags.sources === true) {
      if (unit !== undefined)
        throw new Failure("usage/invalid", "--sources looks at the source alone", "name no unit");
      const { doctorSources } = await import("../commands/doctor/sources.ts");
      await doctorSources(createContext(command));
      return;
    }
    const { doctor } = await import("../commands/doctor/doctor.ts");
    await doctor(createContext(command), unit);
  });
}
