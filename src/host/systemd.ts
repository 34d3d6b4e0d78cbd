import { Failure } from "../failure.ts";
import { findProgram, run } from "./process.ts";
import { coalesce } from "./coalesce.ts";

/** A command line of a unit, as PID 1 has it: specifiers resolved, variables not yet expanded. */
export interface UnitCommand {
  /** The argument vector's words. A blank within an argument divides it here. */
  readonly words: readonly string[];
}

/** What PID 1 says of a service. */
export interface UnitFacts {
  readonly unit: string;
  /** `loaded`, `not-found`, `masked`, … */
  readonly loadState: string;
  /** `active`, `activating`, `inactive`, `failed`, … */
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
  /** How long each of the commands may take to start, in milliseconds; Infinity for no limit. */
  readonly startTimeoutMs: number;
  /** When it was last seen to become inactive, in milliseconds of the epoch; undefined if never. */
  readonly inactiveSince: number | undefined;
}

const properties = [
  "Id",
  "LoadState",
  "ActiveState",
  "MainPID",
  "ControlPID",
  "ControlGroup",
  "InvocationID",
  "ExecStartPre",
  "ExecStart",
  "TimeoutStartUSec",
  "InactiveEnterTimestamp",
];

const deadlineMs = 10_000;

// One call answers for all units that were asked for while the one before it ran: when a machine
// boots, a hundred start at once.
const askTogether = coalesce(async (units: readonly string[]) => {
  const asked = [...new Set(units)];
  const blocks = await show(asked);
  // An argument with an empty line in it would give one unit the facts of another.
  const own =
    blocks.length === asked.length
      ? blocks
      : await Promise.all(asked.map(async (unit) => (await show([unit])).join("\n")));
  return new Map(asked.map((unit, index) => [unit, parseUnit(unit, own[index] ?? "")]));
});

async function show(units: readonly string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await run(
    await findProgram("systemctl"),
    ["show", "--timestamp=us+utc", `--property=${properties.join()}`, "--", ...units],
    { timeoutMs: deadlineMs },
  );
  if (exitCode === 0) return new TextDecoder().decode(stdout).split("\n\n");
  throw new Failure(
    "systemd/unavailable",
    `PID 1 doesn't tell about ${units.join(", ").slice(0, 200)}: ${stderr.trim().split("\n")[0]?.slice(0, 200) ?? ""}`,
  );
}

/**
 * What PID 1 says of a service now.
 *
 * @param unit - of the grammar of unit names
 * @throws Failure `systemd/unavailable`
 */
export async function showUnit(unit: string): Promise<UnitFacts> {
  const facts = (await askTogether(unit)).get(unit);
  if (facts !== undefined) return facts;
  throw new Failure("systemd/unavailable", `PID 1 says nothing of ${unit}`);
}

/** What systemctl(1) shows of a unit, read. */
export function parseUnit(unit: string, text: string): UnitFacts {
  const lines = text.split("\n");
  const values = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
  // The first: what follows could be part of an argument that has a newline.
  const value = (name: string): string => values(name)[0] ?? "";
  return {
    unit,
    loadState: value("LoadState"),
    activeState: value("ActiveState"),
    mainPid: Number(value("MainPID")),
    controlPid: Number(value("ControlPID")),
    controlGroup: value("ControlGroup"),
    invocation: value("InvocationID"),
    commands: [...values("ExecStartPre"), ...values("ExecStart")].flatMap(parseCommand),
    startTimeoutMs: parseTimeSpan(value("TimeoutStartUSec")),
    inactiveSince: parseTimestamp(value("InactiveEnterTimestamp")),
  };
}

function parseCommand(text: string): UnitCommand[] {
  const argv = /^\{ path=.*? ; argv\[\]=(.*)/u.exec(text)?.[1];
  return argv === undefined ? [] : [{ words: argv.split(" ") }];
}

const unitsOfTime: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  month: 2_629_800_000,
  y: 31_557_600_000,
};

/** A time span as systemd prints it, `1min 30s`, in milliseconds (systemd.time(7)). */
export function parseTimeSpan(text: string): number {
  const parts = [...text.matchAll(/([0-9.]+)(us|ms|s|min|h|d|w|month|y)(?= |$)/gu)];
  if (parts.length === 0) return Infinity;
  return parts.reduce(
    (sum, [, count, name = ""]) => sum + Number(count) * (unitsOfTime[name] ?? 0),
    0,
  );
}

/** A time as `--timestamp=us+utc` prints it, `Sat 2026-11-28 06:58:50.123456 UTC`. */
function parseTimestamp(text: string): number | undefined {
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) UTC$/u.exec(text) ?? [];
  return day === undefined || time === undefined ? undefined : Date.parse(`${day}T${time}Z`);
}
