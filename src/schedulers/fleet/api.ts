import { Failure } from "../../failure.ts";
import {
  decodeFleetError,
  decodeFleetMachines,
  decodeFleetStates,
  decodeFleetUnits,
  type FleetMachine,
  type FleetOption,
  type FleetState,
  type FleetUnit,
} from "../../formats/schedulers/fleet.ts";
import { ask, type Endpoint, type Reply } from "../http.ts";

const prefix = "/fleet/v1";

const pathOf = (name: string): string => `${prefix}/units/${encodeURIComponent(name)}`;

/** All units of the cluster. @throws Failure `scheduler/…` */
export function unitsOf(endpoint: Endpoint): Promise<FleetUnit[]> {
  return pages(endpoint, `${prefix}/units`, (body) => {
    const { units, nextPageToken } = decodeFleetUnits(body);
    return { items: units, nextPageToken };
  });
}

/** What machines say of a unit. @throws Failure `scheduler/…` */
export function statesOf(endpoint: Endpoint, name: string): Promise<FleetState[]> {
  const path = `${prefix}/state?unitName=${encodeURIComponent(name)}`;
  return pages(endpoint, path, (body) => {
    const { states, nextPageToken } = decodeFleetStates(body);
    return { items: states.filter((state) => state.name === name), nextPageToken };
  });
}

/** The machines of the cluster. @throws Failure `scheduler/…` */
export function machinesOf(endpoint: Endpoint): Promise<FleetMachine[]> {
  return pages(endpoint, `${prefix}/machines`, (body) => {
    const { machines, nextPageToken } = decodeFleetMachines(body);
    return { items: machines, nextPageToken };
  });
}

/**
 * After it, fleet is to have a unit in a state.
 *
 * @param options - of one that isn't there yet, or as it has them: from 0.13 on fleet ends at once what has others
 *   (api/units.go)
 * @throws Failure `scheduler/…`
 */
export async function setUnit(
  endpoint: Endpoint,
  name: string,
  desiredState: "loaded" | "launched",
  options?: readonly FleetOption[],
): Promise<void> {
  const reply = await ask(endpoint, "PUT", pathOf(name), { name, desiredState, options });
  if (reply.status !== 201 && reply.status !== 204) throw refused(endpoint, name, reply);
}

/** After it, fleet has no such unit, and stops what runs of it. @throws Failure `scheduler/…` */
export async function destroyUnit(endpoint: Endpoint, name: string): Promise<void> {
  const reply = await ask(endpoint, "DELETE", pathOf(name));
  if (reply.status !== 204 && reply.status !== 404) throw refused(endpoint, name, reply);
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
