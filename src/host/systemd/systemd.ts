import { Failure } from "../../failure.ts";
import { openBus } from "./dbus.ts";
import type { Value } from "./dbus-wire.ts";

/** A command line of a unit, as PID 1 has it: specifiers resolved, variables not yet expanded. */
export interface UnitCommand {
  /** The argument vector. */
  readonly words: readonly string[];
}

/** What PID 1 says of a service. */
export interface UnitFacts {
  readonly unit: string;
  /** `loaded`, `not-found`, `masked`, … */
  readonly loadState: string;
  /** `active`, `activating`, `inactive`, `failed`, `reloading`, `refreshing`, … */
  readonly activeState: string;
  /** 0 where there is none. */
  readonly mainPid: number;
  /** The process of `ExecStartPre=` and the like; 0 where there is none. */
  readonly controlPid: number;
  /** The unit's control group, such as `/system.slice/dns.service`; empty while there is none. */
  readonly controlGroup: string;
  /** 32 hex digits; empty before the first start. */
  readonly invocation: string;
  /** The commands that are given credentials: `ExecStartPre=` and `ExecStart=`, in their order. */
  readonly commands: readonly UnitCommand[];
  /** Those of `ExecReload=`, to which systemd gives what a start was given, from 260 on. */
  readonly reloads: readonly UnitCommand[];
  /** How long each of the commands may take to start, in milliseconds; Infinity for no limit. */
  readonly startTimeoutMs: number;
  /** When it last became inactive, in milliseconds of the epoch; undefined if never. */
  readonly inactiveSince: number | undefined;
}

const bus = openBus();

const unitInterface = "org.freedesktop.systemd1.Unit";
const managerPath = "/org/freedesktop/systemd1";
const serviceInterface = "org.freedesktop.systemd1.Service";

/**
 * What PID 1 says of a service now. All is asked at once, and answered in the order asked.
 *
 * @param unit - of the grammar of unit names
 * @throws Failure `systemd/unavailable`
 */
export async function showUnit(unit: string): Promise<UnitFacts> {
  const path = objectPath(unit);
  const get = async (inInterface: string, name: string): Promise<Value> => {
    const [value] = await bus.call({
      path,
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      strings: [inInterface, name],
    });
    if (value !== undefined) return value;
    throw new Failure("systemd/unavailable", `PID 1 says nothing of ${unit}'s ${name}`);
  };
  const [load, active, invocation, inactive, main, control, group, pre, start, reload, timeout] =
    await Promise.all([
      get(unitInterface, "LoadState"),
      get(unitInterface, "ActiveState"),
      get(unitInterface, "InvocationID"),
      get(unitInterface, "InactiveEnterTimestamp"),
      get(serviceInterface, "MainPID"),
      get(serviceInterface, "ControlPID"),
      get(serviceInterface, "ControlGroup"),
      get(serviceInterface, "ExecStartPre"),
      get(serviceInterface, "ExecStart"),
      get(serviceInterface, "ExecReload"),
      get(serviceInterface, "TimeoutStartUSec"),
    ]);
  return {
    unit,
    loadState: String(load),
    activeState: String(active),
    mainPid: Number(main),
    controlPid: Number(control),
    controlGroup: String(group),
    invocation: invocation instanceof Uint8Array ? Buffer.from(invocation).toString("hex") : "",
    commands: [...commandsOf(pre), ...commandsOf(start)],
    reloads: commandsOf(reload),
    startTimeoutMs: typeof timeout === "number" ? timeout / 1000 : Infinity,
    inactiveSince: inactive === 0 ? undefined : Number(inactive) / 1000,
  };
}

/** All that PID 1 says of a unit under one of its interfaces, by name. @throws Failure `systemd/unavailable` */
export async function showAll(
  unit: string,
  inInterface: "Unit" | "Service",
): Promise<ReadonlyMap<string, Value>> {
  const [properties] = await bus.call({
    path: objectPath(unit),
    interface: "org.freedesktop.DBus.Properties",
    member: "GetAll",
    strings: [`org.freedesktop.systemd1.${inInterface}`],
  });
  return new Map(properties as readonly (readonly [string, Value])[]);
}

/** A service that PID 1 has in memory. */
export interface ListedService {
  readonly unit: string;
  /** `active`, `activating`, `inactive`, `failed`, … */
  readonly activeState: string;
  /** Finer than that: `running`, `auto-restart`, … */
  readonly subState: string;
}

/** The services that PID 1 has in memory, by name. @throws Failure `systemd/unavailable` */
export async function listServices(): Promise<ListedService[]> {
  const [units] = await bus.call({
    path: managerPath,
    interface: "org.freedesktop.systemd1.Manager",
    member: "ListUnits",
    strings: [],
  });
  return (units as readonly (readonly string[])[])
    .map(([unit = "", , , activeState = "", subState = ""]) => ({ unit, activeState, subState }))
    .filter(({ unit }) => unit.endsWith(".service"))
    .sort((a, b) => (a.unit < b.unit ? -1 : 1));
}

/** systemd's version, such as `252.39-1~deb12u2`. @throws Failure `systemd/unavailable` */
export async function systemdVersion(): Promise<string> {
  const [version] = await bus.call({
    path: managerPath,
    interface: "org.freedesktop.DBus.Properties",
    member: "Get",
    strings: ["org.freedesktop.systemd1.Manager", "Version"],
  });
  return String(version);
}

/** The commands of a property of type `a(sasbttttuii)`: path, arguments, and what became of them. */
function commandsOf(value: Value): UnitCommand[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Value[]).map((command) => {
    const words = Array.isArray(command) ? (command as readonly Value[])[1] : undefined;
    return { words: Array.isArray(words) ? words.map(String) : [] };
  });
}

/** Where PID 1 has a unit: every byte that is no letter or digit as `_` and two hex digits. */
function objectPath(unit: string): string {
  const escaped = [...Buffer.from(unit)].map((byte, index) => {
    const char = String.fromCharCode(byte);
    const isPlain = /[A-Za-z]/u.test(char) || (index > 0 && /[0-9]/u.test(char));
    return isPlain ? char : `_${byte.toString(16).padStart(2, "0")}`;
  });
  return `/org/freedesktop/systemd1/unit/${escaped.join("")}`;
}
