import { isUtf8 } from "node:buffer";
import { Failure } from "../failure.ts";
import { parseCommandLine, type Command } from "./command-line.ts";
import {
  agentSocketUnit,
  checkCommand,
  isReloaded,
  loadCredentials,
  reloadCommand,
  runCommand,
  type Guard,
} from "./guard.ts";
import { quote } from "./quoting.ts";
import { refuseType } from "./reloading.ts";
import { listOf, printUnit, valueOf, type Assignment, type Unit } from "./unit-file.ts";

/** What guards an existing unit. */
export interface Wrapping {
  /** The text of the drop-in. */
  readonly dropIn: string;
  /** The unit as it is without the drop-in, and with it. */
  readonly before: Unit;
  readonly after: Unit;
}

const header = `# Written by 'sealaunch unit --wrap'. When the unit changes, write this anew.\n`;

/**
 * A drop-in that has the agent asked for each credential, and guards each command that gets them.
 *
 * @param name - the unit's
 * @throws Failure `unit/malformed`, `unit/setting` for commands that can't be guarded
 */
export function wrapUnit(name: string, unit: Unit, guard: Guard): Wrapping {
  const start = commandsOf(unit, "ExecStart");
  const before = commandsOf(unit, "ExecStartPre");
  if (start.length === 0) {
    throw new Failure(
      "unit/setting",
      `${name} has no ExecStart=, and other commands get no credentials`,
      "let a unit with a command of its own have the credentials",
    );
  }
  const lines = (commands: readonly Command[]): string[] =>
    commands.map((command) => guarded(name, command, guard));
  const type = typeOf(unit);
  const pre = [...(needsCheck(type, before, start) ? [checkCommand(guard)] : []), ...lines(before)];
  const started = lines(start);
  const credentials = loadCredentials(guard).map((value) => inService("LoadCredential", value));
  // 'simple' counts as started before there is a program, so also where it is refused.
  const changedType = type === "simple" ? [inService("Type", "exec")] : [];
  const order = ["Wants", "After"].map((key) => ({ section: "Unit", key, value: agentSocketUnit }));
  const anew = (key: string, values: readonly string[]): Unit =>
    values.length === 0 ? [] : ["", ...values].map((value) => inService(key, value));
  const changes = [
    ...changedType,
    ...credentials,
    ...anew("ExecStartPre", pre),
    ...anew("ExecStart", started),
    ...(isReloaded(guard) ? reloaded(name, unit, guard) : []),
  ];
  const effective = withoutResets(unit);
  return {
    dropIn: `${header}${printUnit([...order, ...changes])}`,
    before: effective,
    after: changed(effective, order, withoutResets(changes)),
  };
}

/** What is fetched anew at a reload is checked before anything else. @throws Failure `unit/setting` */
function reloaded(name: string, unit: Unit, guard: Guard): Unit {
  const failure = refuseType(name, typeOf(unit), "reload");
  if (failure !== undefined) throw failure;
  const own = listOf(unit, "Service", "ExecReload");
  return [
    inService("RefreshOnReload", "credentials"),
    ...["", reloadCommand(guard), ...own].map((value) => inService("ExecReload", value)),
  ];
}

function inService(key: string, value: string): Assignment {
  return { section: "Service", key, value };
}

function commandsOf(unit: Unit, key: string): Command[] {
  return listOf(unit, "Service", key).flatMap((line) => parseCommandLine(line, `${key}=`));
}

function typeOf(unit: Unit): string {
  const isOnBus = valueOf(unit, "Service", "BusName") !== undefined;
  return valueOf(unit, "Service", "Type") ?? (isOnBus ? "dbus" : "simple");
}

/**
 * Whether a command has to come before all others that sees whether everything has arrived: systemd
 * takes no notice if one with a `-` fails, and a unit of type idle is active before it runs.
 */
function needsCheck(type: string, before: readonly Command[], start: readonly Command[]): boolean {
  const [first] = [...before, ...start];
  const mayFail = first?.prefix.includes("-") === true;
  return mayFail || (type === "idle" && before.length === 0);
}

function guarded(name: string, { prefix, program, words }: Command, guard: Guard): string {
  const [own, ...others] = words;
  if (program.endsWith("/sealaunch") && isVerb(own?.bytes)) {
    throw new Failure(
      "unit/setting",
      `${name} is guarded already: it runs ${program}`,
      "take the drop-in that does it away first, or write its file anew with --output",
    );
  }
  const hasName = prefix.includes("@");
  if (hasName && Buffer.from(own?.bytes ?? []).toString() !== program) {
    throw new Failure(
      "unit/setting",
      `${name} runs ${program} under another name ('@'), which a shell can't do for it`,
      "leave the '@' and the name out, or let ExecStart= be a script that does it",
    );
  }
  if (program.includes("$") && !prefix.includes(":")) {
    throw new Failure(
      "unit/setting",
      `${name} runs ${program}, whose '$' would mean a variable after the wrapper`,
      "give the program a name without",
    );
  }
  // PID 1 sends only text, and so tells the agent nothing of any command of the unit.
  if (!words.every(({ bytes }) => isUtf8(bytes))) {
    throw new Failure(
      "unit/setting",
      `${name} gives ${program} an argument that is no UTF-8, and then PID 1 tells no one what the unit runs`,
      "let ExecStart= be a script that gives it",
    );
  }
  const rest = (hasName ? others : words).map(({ raw }) => raw).join("");
  return `${prefix.replace("@", "")}${runCommand(guard)} ${quote(program)}${rest}`;
}

function isVerb(bytes: Uint8Array | undefined): boolean {
  return ["run", "check"].includes(Buffer.from(bytes ?? []).toString());
}

const commandKeys = ["ExecStartPre", "ExecStart", "ExecReload"];

/** The unit without assignments that later ones have made void, of those that a wrapping changes. */
function withoutResets(unit: Unit): Unit {
  return unit.filter((one, index) => {
    if (one.section !== "Service") return true;
    const later = unit
      .slice(index + 1)
      .filter(({ section, key }) => section === "Service" && key === one.key);
    if (one.key === "Type") return later.length === 0;
    if (!commandKeys.includes(one.key)) return true;
    return one.value !== "" && !later.some(({ value }) => value === "");
  });
}

/** The unit with `service` in the place of the first command, instead of what it changes there. */
function changed(unit: Unit, order: Unit, service: Unit): Unit {
  const replaced = (one: Assignment): boolean =>
    one.section === "Service" &&
    [...commandKeys, "Type"].includes(one.key) &&
    service.some(({ key }) => key === one.key);
  const at = unit.findIndex((one) => one.section === "Service" && commandKeys.includes(one.key));
  return [
    ...unit.slice(0, at).filter((one) => !replaced(one)),
    ...order,
    ...service,
    ...unit.slice(at).filter((one) => !replaced(one)),
  ];
}
