import { Failure } from "../../failure.ts";
import type { FleetMachine, FleetState } from "../../formats/schedulers/fleet.ts";
import { listOf, valueOf, type Unit } from "../../service/unit-file.ts";
import type { Endpoint } from "../http.ts";
import type { Standing } from "../running.ts";
import { machinesOf, statesOf } from "./api.ts";

/** How a unit stands on the machines that it may be on, by their addresses. @throws Failure `scheduler/…` */
export async function standingOf(endpoint: Endpoint, name: string, unit: Unit): Promise<Standing> {
  const [states, machines] = await Promise.all([statesOf(endpoint, name), machinesOf(endpoint)]);
  return standing(unit, states, machines);
}

function standing(
  unit: Unit,
  states: readonly FleetState[],
  machines: readonly FleetMachine[],
): Standing {
  const eligible = machines.filter((machine) => isAsAsked(unit, machine));
  const addressOf = (id: string): string =>
    machines.find((machine) => machine.id === id)?.primaryIP ?? id;
  const running = states.filter(({ systemdActiveState }) => systemdActiveState === "active");
  const isGlobal = valueOf(unit, "X-Fleet", "Global") === "true";
  const needed = isGlobal ? eligible.length : 1;
  if (eligible.length === 0) return { why: noneIsAsAsked(unit, machines) };
  if (running.length >= needed) {
    return { nodes: running.map(({ machineID }) => addressOf(machineID)).sort() };
  }
  const others = states
    .filter((state) => !running.includes(state))
    .map(
      ({ machineID, systemdActiveState, systemdSubState }) =>
        `${systemdActiveState} (${systemdSubState}) on ${addressOf(machineID)}`,
    );
  const said = others.length === 0 ? "no machine has it yet" : others.join(", ");
  return { why: `${said}; ${String(running.length)} of ${String(needed)} run` };
}

/** Returns if a machine is as the unit asks. @throws Failure `scheduler/not-running` if none is */
export async function requireMachine(endpoint: Endpoint, name: string, unit: Unit): Promise<void> {
  const machines = await machinesOf(endpoint);
  if (machines.some((machine) => isAsAsked(unit, machine))) return;
  throw new Failure(
    "scheduler/not-running",
    `${name} of fleet wouldn't be placed, and nothing was changed: ${noneIsAsAsked(unit, machines)}`,
  );
}

function noneIsAsAsked(unit: Unit, machines: readonly FleetMachine[]): string {
  const asked = listOf(unit, "X-Fleet", "MachineMetadata").join(" or ");
  return `none of ${String(machines.length)} machines has ${asked || "joined"}`;
}

/** Whether a machine has what the unit asks for: all of a line, of any of the lines. */
function isAsAsked(unit: Unit, { metadata }: FleetMachine): boolean {
  const lines = listOf(unit, "X-Fleet", "MachineMetadata");
  const hasAll = (line: string): boolean =>
    [...line.matchAll(/"([^"=]*)=([^"]*)"/gu)].every(
      ([, key = "", value]) => metadata[key] === value,
    );
  return lines.length === 0 || lines.some(hasAll);
}
