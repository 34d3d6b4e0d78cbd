import type { Command } from "commander";
import { createContext } from "./context.ts";
import { addGuidance } from "./guidance.ts";

/** `doctor`: what would keep a unit from starting. */
export function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description(
      "Name everything that would keep a unit from starting with its secrets, without starting it.",
    )
    .argument("[unit]", "the service; all that failed and use Sealaunch by default");
  addGuidance(command, {
    examples: ["sealaunch doctor dns", "sealaunch doctor"],
    needsSystemd: true,
    runsOn: "node, as root",
    needs: "the node's identity",
  });
  command.action(async (unit: string | undefined) => {
    const { doctor } = await import("../commands/doctor.ts");
    await doctor(createContext(command), unit);
  });
}
