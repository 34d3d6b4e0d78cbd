import { Failure } from "../failure.ts";
import {
  decodeFleetError,
  decodeFleetMachines,
  decodeFleetStates,
  type FleetMachine,
  type FleetOption,
  type FleetState,
} from "../formats/schedulers/fleet.ts";
import { listOf, parseUnitFile, valueOf, type Unit } from "../service/unit-file.ts";
import { ask, type Endpoint, type Reply } from "./http.ts";
import { waitUntilRunning, type Standing } from "./running.ts";

const prefix = "/fleet/v1";

/**
 * After it, the unit runs with this text; one of that name with another text was replaced by fleet, which
 * stops the old one where it starts the new one.
 *
 * @param text - as `sealaunch unit --for fleet` writes it
 * @param deadlineMs - from when fleet has taken it
 * @returns the addresses of the machines on which it runs
 * @throws Failure `scheduler/refused`, `scheduler/not-running`, `scheduler/unavailable`
 */
export async function submitToFleet(
  endpoint: Endpoint,
  name: string,
  text: string,
  deadlineMs: number,
): Promise<readonly string[]> {
  const unit = parseUnitFile(text, name);
  const options = unit.map(({ section, key, value }): FleetOption => ({
    section,
    name: key,
    value,
  }));
  const before = (await statesOf(endpoint, name)).map(({ hash }) => hash);
  // One request that makes it, replaces it, or starts what is the same.
  const path = `${prefix}/units/${encodeURIComponent(name)}`;
  const reply = await ask(endpoint, "PUT", path, { desiredState: "launched", options });
  if (reply.status !== 201 && reply.status !== 204) throw refused(endpoint, name, reply);
  const isNew = reply.status === 201;
  return waitUntilRunning(`${name} of fleet`, deadlineMs, async () => {
    const states = await statesOf(endpoint, name);
    const current = states.filter(({ hash }) => !isNew || !before.includes(hash));
    return standing(unit, current, await machinesOf(endpoint));
  });
}

/** After it, fleet has no such unit, and stops what runs of it. @throws Failure `scheduler/refused` */
export async function removeFromFleet(endpoint: Endpoint, name: string): Promise<void> {
  const path = `${prefix}/units/${encodeURIComponent(name)}`;
  const reply = await ask(endpoint, "DELETE", path);
  if (reply.status !== 204 && reply.status !== 404) throw refused(endpoint, name, reply);
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
  if (eligible.length === 0) {
    const asked = listOf(unit, "X-Fleet", "MachineMetadata").join(" or ");
    return { why: `none of ${String(machines.length)} machines has ${asked || "joined"}` };
  }
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

/** Whether a machine has what the unit asks for: all of a line, of any of the lines. */
function isAsAsked(unit: Unit, { metadata }: FleetMachine): boolean {
  const lines = listOf(unit, "X-Fleet", "MachineMetadata");
  const hasAll = (line: string): boolean =>
    [...line.matchAll(/"([^"=]*)=([^"]*)"/gu)].every(
      ([, key = "", value]) => metadata[key] === value,
    );
  return lines.length === 0 || lines.some(hasAll);
}

async function statesOf(endpoint: Endpoint, name: string): Promise<FleetState[]> {
  const path = `${prefix}/state?unitName=${encodeURIComponent(name)}`;
  return pages(endpoint, path, (body) => {
    const { states, nextPageToken } = decodeFleetStates(body);
    return { items: states.filter((state) => state.name === name), nextPageToken };
  });
}

async function machinesOf(endpoint: Endpoint): Promise<FleetMachine[]> {
  return pages(endpoint, `${prefix}/machines`, (body) => {
    const { machines, nextPageToken } = decodeFleetMachines(body);
    return { items: machines, nextPageToken };
  });
}

async function pages<T>(
  endpoint: Endpoint,
  path: string,
  decode: (body: Uint8Array) => {
    readonly items: T[];
    readonly nextPageToken?: string | undefined;
  },
): Promise<T[]> {
  const found: T[] = [];
  const [resource = ""] = path.split("?");
  for (let next = path; ;) {
    const reply = await ask(endpoint, "GET", next);
    if (reply.status !== 200) throw refused(endpoint, resource, reply);
    const { items, nextPageToken } = decode(reply.body);
    found.push(...items);
    if (nextPageToken === undefined || nextPageToken === "") return found;
    // The token says which page, and not of what.
    const separator = path.includes("?") ? "&" : "?";
    next = `${path}${separator}nextPageToken=${encodeURIComponent(nextPageToken)}`;
  }
}

function refused(endpoint: Endpoint, what: string, reply: Reply): Failure {
  let said = "";
  try {
    said = decodeFleetError(reply.body);
  } catch {
    // Not all of its errors have a body.
  }
  return new Failure(
    reply.status >= 500 ? "scheduler/unavailable" : "scheduler/refused",
    `fleet at ${endpoint.url} answers ${String(reply.status)} to ${what}${said === "" ? "" : `: ${said}`}`,
  );
}
