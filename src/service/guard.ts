import { Failure } from "../failure.ts";
import { agentSocket, manifestName, maxUnitAndCredential } from "./delivery.ts";
import { parseOnChange } from "./on-change.ts";
import { quoteWord } from "./quoting.ts";

/** The unit that listens there. */
export const agentSocketUnit = "sealaunch-agent.socket";

/** What a unit's commands are guarded with: what the wrapper is told, and the agent reads. */
export interface Guard {
  /** The wrapper, by its path in the store. */
  readonly wrapper: string;
  /** `NAME` or `NAME@FLOOR+`. */
  readonly bundles: readonly string[];
  /** Every credential that is taken of them. */
  readonly credentials: readonly string[];
  /** `VARIABLE` or `VARIABLE=CREDENTIAL`. */
  readonly variables: readonly string[];
  /** Templates by the credential that they become. */
  readonly renders: ReadonlyMap<string, string>;
  /** What becomes of the running service when there are newer values, as `--on-change` takes it; nothing if undefined. */
  readonly onChange?: string | undefined;
}

/**
 * The options of the wrapper. Each credential is named, so that one more in the bundle doesn't end
 * a unit that has no line for it.
 */
export function guardOptions(guard: Guard, verb: "run" | "check" | "reload"): string[] {
  const renders = [...guard.renders].map(([name, path]) => `${name}=${path}`);
  return [
    ...guard.bundles.flatMap((bundle) => ["--bundle", bundle]),
    ...guard.credentials.flatMap((credential) => ["--credential", credential]),
    ...(verb === "run" ? guard.variables.flatMap((variable) => ["--env", variable]) : []),
    ...renders.flatMap((render) => ["--render", render]),
    ...(guard.onChange === undefined ? [] : ["--on-change", guard.onChange]),
  ];
}

/** The command that sees that everything has arrived, and does nothing else. */
export function checkCommand(guard: Guard): string {
  return [guard.wrapper, "check", ...guardOptions(guard, "check")].map(quoteWord).join(" ");
}

/** The command of `ExecReload=` that sees that everything has arrived anew, and sends the signal if there is one. */
export function reloadCommand(guard: Guard): string {
  return [guard.wrapper, "reload", ...guardOptions(guard, "reload")].map(quoteWord).join(" ");
}

/** Whether the running service is reloaded for newer values. */
export function isReloaded({ onChange }: Guard): boolean {
  const how = parseOnChange(onChange ?? "nothing")?.how;
  return how === "reload" || how === "signal";
}

/** The beginning of a command line, behind which stands the program. */
export function runCommand(guard: Guard): string {
  return [guard.wrapper, "run", ...guardOptions(guard, "run"), "--"].map(quoteWord).join(" ");
}

/** The credentials that systemd has to ask the agent for, the manifest last. */
export function deliveredCredentials({ credentials, renders }: Guard): string[] {
  return [...credentials, ...renders.keys(), manifestName];
}

/** The `LoadCredential=` values of a unit. */
export function loadCredentials(guard: Guard): string[] {
  return deliveredCredentials(guard).map((name) => `${name}:${agentSocket}`);
}

/**
 * Returns if systemd can deliver all of it to the unit, and the wrapper can be told.
 *
 * @throws Failure `usage/bad-name`, `usage/invalid`
 */
export function checkGuard(guard: Guard, unit: string): void {
  const names = deliveredCredentials(guard);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) {
    throw new Failure(
      "usage/invalid",
      double === manifestName
        ? `a credential is called ${double}, as the one that says what must have arrived`
        : `two credentials of ${unit} would be called ${double}`,
      "give it another name",
    );
  }
  for (const name of names) {
    const size = unit.length + name.length;
    if (size <= maxUnitAndCredential) continue;
    throw new Failure(
      "usage/bad-name",
      `unit ${unit} and credential ${name} have together ${String(size)} bytes, and systemd delivers to ${String(maxUnitAndCredential)}`,
      "give the unit or the credential a shorter name",
    );
  }
  const options = [guard.wrapper, ...guardOptions(guard, "run")];
  const bad = options.find((option) => /[\s$\p{Cc}]/u.test(option));
  if (bad === undefined) return;
  throw new Failure(
    "usage/invalid",
    `${JSON.stringify(bad)} has a blank or a '$', which systemd could change on its way to the wrapper`,
    "give the file a name without",
  );
}
