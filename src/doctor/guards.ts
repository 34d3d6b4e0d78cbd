import { wantedBy } from "../agent/wanted.ts";
import { Failure } from "../failure.ts";
import type { UnitFacts } from "../host/systemd/systemd.ts";
import { error, type Finding } from "../service/finding.ts";

/** The commands of a unit that run without anything having checked its credentials, if some are checked. */
export function examineGuards(facts: UnitFacts): Finding[] {
  const { unit, commands } = facts;
  const [first] = commands;
  // What follows a 'check' runs only if it succeeds.
  if (first?.words[1] === "check" && isGuarded(facts, first)) return [];
  return commands
    .filter((command) => !isGuarded(facts, command))
    .map(({ words: [program = ""] }) =>
      error(
        new Failure(
          "unit/not-guarded",
          `${program}, which ${unit} runs too, starts also with credentials that have arrived empty or cut short`,
          `sealaunch unit --wrap ${unit}, or a first ExecStartPre= that is 'sealaunch check'`,
        ),
      ),
    );
}

/** Whether one command of a unit is the wrapper's. */
export function isGuarded(facts: UnitFacts, command: UnitFacts["commands"][number]): boolean {
  try {
    wantedBy({ ...facts, commands: [command], reloads: [] });
    return true;
  } catch (failure) {
    return !(failure instanceof Failure && failure.code === "unit/not-guarded");
  }
}
