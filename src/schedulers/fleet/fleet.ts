import { Failure } from "../../failure.ts";
import type { FleetOption, FleetUnit } from "../../formats/schedulers/fleet.ts";
import { fleetUnitName } from "../../service/scheduled/fleet-unit.ts";
import { parseUnitFile, printUnit, type Unit } from "../../service/unit-file.ts";
import type { Endpoint } from "../http.ts";
import {
  goneBack,
  waitUntilRunning,
  withSequel,
  type Patience,
  type Standing,
  type Submitted,
  type Submitting,
} from "../running.ts";
import { destroyUnit, setUnit, statesOf, unitsOf } from "./api.ts";
import { requireMachine, standingOf } from "./standing.ts";

/** A service for fleet. */
export interface FleetService {
  readonly name: string;
  /** As `sealaunch unit --for fleet` writes it. */
  readonly text: string;
  /** Whether the new one may start while the old one still runs. */
  readonly overlap: boolean;
}

/** A service for fleet. What ran of it is destroyed once this runs, and this if it doesn't. */
export function submitToFleet(endpoint: Endpoint, service: FleetService): Submitting {
  const name = fleetUnitName(service.name, service.text);
  const unit = parseUnitFile(service.text, name);
  return {
    difference: async () => {
      const units = await ours(endpoint, service);
      const { options } = units.find((one) => one.name === name) ?? units.at(0) ?? {};
      return { before: options === undefined ? "" : textOf(options), after: printUnit(unit) };
    },
    submit: (patience) => submit(endpoint, service, name, unit, patience),
  };
}

async function submit(
  endpoint: Endpoint,
  service: FleetService,
  name: string,
  unit: Unit,
  patience: Patience,
): Promise<Submitted> {
  const units = await ours(endpoint, service);
  const others = units.filter((one) => one.name !== name);
  const launched = others.filter(({ desiredState }) => desiredState === "launched");
  // None is, where an earlier submission was cut off between the two.
  const before = launched.length > 0 ? launched : others;
  const isThere = units.some((one) => one.name === name && one.desiredState === "launched");
  const wait = (): Promise<readonly string[]> =>
    waitUntilRunning(`${name} of fleet`, patience, () => standingOf(endpoint, name, unit));
  if (!isThere) await requireMachine(endpoint, name, unit);
  try {
    if (!isThere) {
      if (!service.overlap) await halt(endpoint, launched, patience);
      await create(endpoint, name, unit);
    }
    const nodes = await wait();
    // Also those that an earlier submission has left when it was cut off.
    for (const one of others) await destroyUnit(endpoint, one.name);
    return { ranAlready: isThere, nodes };
  } catch (error) {
    if (!(error instanceof Failure) || (isThere && before.length === 0)) throw error;
    throw withSequel(error, await goneBack(() => goBack(endpoint, name, before)));
  }
}

/** The units of a service: an instance for each text, or one that was submitted by other means. */
async function ours(endpoint: Endpoint, { name }: FleetService): Promise<FleetUnit[]> {
  const instance = /^@[0-9a-f]{8}\.service$/u;
  return (await unitsOf(endpoint)).filter(
    (unit) =>
      unit.name === `${name}.service` ||
      (unit.name.startsWith(`${name}@`) && instance.test(unit.name.slice(name.length))),
  );
}

/** Has fleet start it. An answer that got lost is made up for by looking. */
async function create(endpoint: Endpoint, name: string, unit: Unit): Promise<void> {
  const options = unit.map(({ section, key, value }): FleetOption => ({
    section,
    name: key,
    value,
  }));
  try {
    await setUnit(endpoint, name, "launched", options);
    // If it was there, stopped, then what it says has stayed; it says the same.
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "scheduler/unavailable") throw error;
    const units = await unitsOf(endpoint);
    const isTaken = units.some((one) => one.name === name && one.desiredState === "launched");
    if (!isTaken) throw error;
  }
}

/** After it, units run nowhere, and are kept to be launched again. */
async function halt(
  endpoint: Endpoint,
  units: readonly FleetUnit[],
  patience: Patience,
): Promise<void> {
  for (const { name } of units) {
    await setUnit(endpoint, name, "loaded");
    const look = async (): Promise<Standing> => {
      const states = await statesOf(endpoint, name);
      const left = states.filter(({ systemdActiveState: state }) => !isOver(state));
      return left.length === 0 ? { nodes: [] } : { why: `${String(left.length)} still run` };
    };
    await waitUntilRunning(`${name} of fleet`, { ...patience, settleMs: 0 }, look, "doesn't end");
  }
}

const isOver = (state: string): boolean => state === "inactive" || state === "failed";

/** For so long what ran before is looked for. */
const backWithin: Patience = { deadlineMs: 60_000, settleMs: 0 };

/** After it, the new one is gone and what ran before runs. @returns what was done */
async function goBack(
  endpoint: Endpoint,
  name: string,
  before: readonly FleetUnit[],
): Promise<string> {
  await destroyUnit(endpoint, name);
  if (before.length === 0) return "nothing of it ran before, and it was destroyed";
  const nodes: string[] = [];
  const now = await unitsOf(endpoint);
  for (const { name: old, options } of before) {
    const isLaunched = now.some((one) => one.name === old && one.desiredState === "launched");
    if (!isLaunched) await setUnit(endpoint, old, "launched");
    const unit = parseUnitFile(textOf(options), old);
    const look = (): ReturnType<typeof standingOf> => standingOf(endpoint, old, unit);
    nodes.push(...(await waitUntilRunning(`${old} of fleet`, backWithin, look)));
  }
  return `what ran before runs on ${[...new Set(nodes)].join(", ")}`;
}

function textOf(options: readonly FleetOption[]): string {
  return printUnit(options.map(({ section, name, value }) => ({ section, key: name, value })));
}
