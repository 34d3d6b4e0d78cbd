import { Failure } from "../failure.ts";
import { error, warning, type Finding } from "./finding.ts";
import type { UnitSettings } from "./unit-settings.ts";

/** What the guarded commands of a unit take to run. */
export interface CommandNeeds {
  /** The files that are run, links resolved: the wrapper, the programs, sh(1), sha256sum(1). */
  readonly runs: readonly string[];
  /** Processes at once: the wrapper itself and those that it starts. */
  readonly processes: number;
  /** Whether a command of it runs before the one that makes the unit active. */
  readonly hasEarlierCommand: boolean;
  readonly agentSocketUnit: string;
  /** For how long the agent has nothing to do with a start, at its end. */
  readonly reserveMs: number;
}

// Without these no shell starts another program, whatever the machine's architecture.
const neededCalls = ["clone", "close", "execve", "mmap", "openat", "read", "wait4", "write"];

/** Whether a unit's settings let its guarded commands run: every one that doesn't. */
export function examineSettings(settings: UnitSettings, needs: CommandNeeds): Finding[] {
  return [
    ...examineType(settings, needs),
    ...examineSystemCalls(settings),
    ...examineLimits(settings, needs),
    ...needs.runs.flatMap((path) => examinePath(settings, path)),
    ...examineTimes(settings, needs),
  ];
}

function examineType({ unit, type }: UnitSettings, { hasEarlierCommand }: CommandNeeds): Finding[] {
  if (!["simple", "idle"].includes(type) || hasEarlierCommand) return [];
  return [
    warning(
      new Failure(
        "unit/setting",
        `${unit} has Type=${type}: it counts as started before its credentials are there, so that what comes after it runs also where it is refused`,
        "Type=exec, or Type=notify where the program tells that it is ready",
      ),
    ),
  ];
}

function examineSystemCalls({ unit, systemCalls: { areAllowed, names } }: UnitSettings): Finding[] {
  if (names.length === 0 && !areAllowed) return [];
  // "clone:EPERM" is one that fails with that error.
  const listed = new Set(names.map((name) => name.split(":")[0] ?? ""));
  const refused = neededCalls.filter((call) => listed.has(call) !== areAllowed);
  if (refused.length === 0) return [];
  return [
    setting(
      `SystemCallFilter= of ${unit} refuses ${refused.join(", ")}, without which no program is started`,
      refused.includes("clone")
        ? "take ~@process out, or add SystemCallFilter=@process after it"
        : `SystemCallFilter=@system-service, or add SystemCallFilter=${refused.join(" ")}`,
    ),
  ];
}

function examineLimits(settings: UnitSettings, { processes }: CommandNeeds): Finding[] {
  const { unit, user, isDynamicUser, maxUserProcesses, maxTasks } = settings;
  // The kernel counts root's processes, and lets it have more.
  const isRoot = !isDynamicUser && ["", "root", "0"].includes(user);
  const limits = [
    ...(isRoot ? [] : [["LimitNPROC", maxUserProcesses] as const]),
    ["TasksMax", maxTasks] as const,
  ];
  return limits
    .filter(([, limit]) => limit < processes)
    .map(([name, limit]) =>
      setting(
        `${name}=${String(limit)} of ${unit} is too little: the credentials are checked by ${String(processes)} processes`,
        `${name}=${String(processes)} or more`,
      ),
    );
}

/** Whether a file can be run where the unit's own file systems are. */
function examinePath(settings: UnitSettings, path: string): Finding[] {
  const { unit, noExecPaths, execPaths, inaccessiblePaths, temporaryFileSystems } = settings;
  const binds = settings.binds.map(({ destination }) => destination);
  const why = [
    deepest(noExecPaths, path) > deepest(execPaths, path) ? "NoExecPaths=" : "",
    // What lies below one, systemd mounts neither.
    deepest(inaccessiblePaths, path) >= 0 ? "InaccessiblePaths=" : "",
    deepest(temporaryFileSystems, path) > deepest(binds, path) ? "TemporaryFileSystem=" : "",
  ];
  const remedy: Readonly<Record<string, string>> = {
    "NoExecPaths=": `ExecPaths=${path}`,
    "InaccessiblePaths=": "name less in InaccessiblePaths=",
    "TemporaryFileSystem=": `BindReadOnlyPaths=${path}`,
  };
  return why
    .filter((name) => name !== "")
    .map((name) =>
      setting(`${name} of ${unit} takes away ${path}, which it has to run`, remedy[name] ?? ""),
    );
}

/** How long the deepest of the directories is that hold `path`; -1 if none does. */
function deepest(directories: readonly string[], path: string): number {
  const holding = directories.filter(
    (directory) =>
      directory === path || path.startsWith(directory.endsWith("/") ? directory : `${directory}/`),
  );
  return Math.max(-1, ...holding.map(({ length }) => length));
}

function examineTimes(settings: UnitSettings, needs: CommandNeeds): Finding[] {
  const { unit, startTimeoutMs, hasDefaultDependencies, after } = settings;
  const findings: Finding[] = [];
  if (startTimeoutMs <= needs.reserveMs) {
    findings.push(
      setting(
        `TimeoutStartSec= of ${unit} is ${String(startTimeoutMs / 1000)} s, of which the agent leaves ${String(needs.reserveMs / 1000)} s`,
        "TimeoutStartSec=90",
      ),
    );
  }
  if (!hasDefaultDependencies && !after.includes(needs.agentSocketUnit)) {
    findings.push(
      warning(
        new Failure(
          "unit/setting",
          `${unit} has DefaultDependencies=no, and may be started at boot before there is an agent to ask`,
          `After=${needs.agentSocketUnit} and Requires=${needs.agentSocketUnit}`,
        ),
      ),
    );
  }
  return findings;
}

function setting(message: string, hint: string): Finding {
  return error(new Failure("unit/setting", message, hint));
}
