import { Failure } from "../failure.ts";
import { agentSocket } from "./delivery.ts";
import { deliveredCredentials, isReloaded, type Guard } from "./guard.ts";
import { listOf, valueOf, type Unit } from "./unit-file.ts";

/**
 * Returns, with what is doubtful as one line each, if the unit leaves room for its credentials and for
 * the wrapper.
 *
 * @throws Failure `unit/setting`, naming the first thing that doesn't, and what mends it
 */
export function checkLimits(name: string, unit: Unit, guard: Guard): string[] {
  const refuse = (what: string, remedy: string): never => {
    throw new Failure("unit/setting", `${name} ${what}`, remedy);
  };
  checkRivals(unit, guard, refuse);
  checkLateUse(unit, guard, refuse);
  checkOrder(unit, refuse);
  checkProcesses(unit, refuse);
  return checkPaths(unit, guard, refuse);
}

type Refuse = (what: string, remedy: string) => never;

/** Nothing else may give a value of the same name: where the agent refuses, systemd would take it. */
function checkRivals(unit: Unit, guard: Guard, refuse: Refuse): void {
  const names = deliveredCredentials(guard);
  for (const key of [
    "LoadCredential",
    "LoadCredentialEncrypted",
    "SetCredential",
    "SetCredentialEncrypted",
  ]) {
    for (const value of listOf(unit, "Service", key)) {
      const [name = "", from] = value.split(":", 2);
      if (from === agentSocket) {
        refuse(
          `asks the agent for ${name} already`,
          "take that line, or the drop-in that has it, away first",
        );
      }
      if (!names.includes(name)) continue;
      refuse(
        `has ${key}=${name} already, which would stand for the sealed one`,
        `take ${key}=${name} out, or ask for fewer with --credential`,
      );
    }
  }
}

const reference =
  /(?:%d|\$?\$(?:CREDENTIALS_DIRECTORY|\{CREDENTIALS_DIRECTORY\})|\/run\/credentials\/[^/\s"']+)(?:\/([A-Za-z0-9._-]+))?/gu;

/**
 * Before systemd 260 only `ExecStartPre=` and `ExecStart=` find credentials. A unit that is reloaded for new ones has a
 * later one, whose `ExecReload=` finds them too.
 */
function checkLateUse(unit: Unit, guard: Guard, refuse: Refuse): void {
  const names = deliveredCredentials(guard);
  for (const key of ["ExecCondition", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"]) {
    if (key === "ExecReload" && isReloaded(guard)) continue;
    for (const value of listOf(unit, "Service", key)) {
      for (const [found, name] of value.replaceAll("%%", "").matchAll(reference)) {
        if (name !== undefined && !names.includes(name)) continue;
        refuse(
          `uses ${found} in ${key}=, which gets no credentials`,
          `let ExecStart= keep what ${key}= needs in a file of RuntimeDirectory=`,
        );
      }
    }
  }
}

/** What is there before the agent's socket is. */
function checkOrder(unit: Unit, refuse: Refuse): void {
  const isOff = /^(?:no|n|false|f|off|0)$/iu.test(
    valueOf(unit, "Unit", "DefaultDependencies") ?? "",
  );
  const after = listOf(unit, "Unit", "After").flatMap((value) => value.split(/\s+/u));
  const late = ["sysinit.target", "sockets.target", "basic.target", "multi-user.target"];
  if (!isOff || late.some((target) => after.includes(target))) return;
  refuse(
    "has DefaultDependencies=no, so it may start before there is an agent",
    "let it have After=basic.target, or leave it without sealed credentials",
  );
}

/** The wrapper is a shell that starts sha256sum(1). */
function checkProcesses(unit: Unit, refuse: Refuse): void {
  for (const key of ["TasksMax", "LimitNPROC"]) {
    const value = valueOf(unit, "Service", key);
    if (value === undefined || !/^[01](?::|$)/u.test(value)) continue;
    refuse(`has ${key}=${value}, and what checks its credentials is two processes`, `${key}=8`);
  }
  const missing = refusedCalls(listOf(unit, "Service", "SystemCallFilter"));
  if (missing.length === 0) return;
  refuse(
    `has a SystemCallFilter= without ${missing.join(", ")}, which a shell needs`,
    `SystemCallFilter=${missing.join(" ")} in a drop-in, after the others`,
  );
}

/** Groups of system calls that a shell needs, with the names by which a filter takes them away. */
const neededCalls: Readonly<Record<string, readonly string[]>> = {
  "@process": ["@system-service", "@known", "clone", "wait4", "execve"],
  "@basic-io": ["@system-service", "@known", "read", "write", "close"],
  "@file-system": ["@system-service", "@known", "openat", "mmap"],
};

/** The groups that a filter refuses: the first line says whether it lists what is allowed or refused. */
function refusedCalls(lines: readonly string[]): string[] {
  const [first] = lines;
  if (first === undefined) return [];
  return Object.entries(neededCalls)
    .filter(([group, names]) => {
      let isAllowed = first.startsWith("~");
      for (const line of lines) {
        const isRefusal = line.startsWith("~");
        const listed = line.replace(/^~/u, "").split(/\s+/u);
        if ([group, ...names].some((name) => listed.some((one) => one.split(":")[0] === name)))
          isAllowed = !isRefusal;
      }
      return !isAllowed;
    })
    .map(([group]) => group);
}

function checkPaths(unit: Unit, { wrapper }: Guard, refuse: Refuse): string[] {
  const paths = (key: string): string[] =>
    listOf(unit, "Service", key)
      .flatMap((value) => value.split(/\s+/u))
      .map((value) => value.replace(/^[-+]+/u, ""));
  const binds = [...paths("BindPaths"), ...paths("BindReadOnlyPaths")].map(
    (bind) => bind.split(":")[1] ?? bind,
  );
  const tree =
    valueOf(unit, "Service", "RootDirectory") ?? valueOf(unit, "Service", "RootImage") ?? "/";
  const warnings: string[] = [];
  if (tree !== "/") {
    if (deepest(binds, wrapper) < 0)
      refuse(
        `has another root, ${tree}, in which there is no ${wrapper}`,
        "BindReadOnlyPaths=/nix/store in a drop-in; the tree needs /bin/sh and sha256sum too",
      );
    warnings.push(`${tree} must have /bin/sh and sha256sum`);
  }
  const hides = (key: string, shown: readonly string[]): void => {
    const hidden = paths(key).map((path) => path.split(":")[0] ?? "");
    if (deepest(hidden, wrapper) > deepest(shown, wrapper))
      refuse(`hides the wrapper by ${key}=${hidden.join(" ")}`, `name less in ${key}=`);
    if (deepest(hidden, "/usr/bin/sh") > deepest(shown, "/usr/bin/sh"))
      warnings.push(`${key}=${hidden.join(" ")} must leave /bin/sh and sha256sum as they are`);
  };
  hides("InaccessiblePaths", []);
  hides("TemporaryFileSystem", binds);
  hides("NoExecPaths", paths("ExecPaths"));
  return warnings;
}

/** The length of the longest of the directories that hold `path`; -1 if none does. */
function deepest(directories: readonly string[], path: string): number {
  const holding = directories.filter(
    (directory) => directory === path || path.startsWith(`${directory.replace(/\/$/u, "")}/`),
  );
  return Math.max(-1, ...holding.map(({ length }) => length));
}
