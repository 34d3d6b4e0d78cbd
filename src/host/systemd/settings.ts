import type { UnitSettings } from "../../service/unit-settings.ts";
import type { Value } from "./dbus-wire.ts";
import { showAll } from "./systemd.ts";

/**
 * What PID 1 has of a service's file.
 *
 * @param unit - of the grammar of unit names
 * @throws Failure `systemd/unavailable`
 */
export async function showSettings(unit: string): Promise<UnitSettings> {
  const [ofUnit, ofService] = await Promise.all([showAll(unit, "Unit"), showAll(unit, "Service")]);
  const properties = new Map([...ofUnit, ...ofService]);
  const get = (name: string): Value => properties.get(name) ?? "";
  const text = (name: string): string => String(get(name));
  const rows = (name: string): readonly (readonly Value[])[] => listOf(get(name)).map(listOf);
  const paths = (name: string): string[] => listOf(get(name)).map(withoutFlags);
  const credentials = (name: string): UnitSettings["loadCredentials"] =>
    rows(name).map(([id = "", from = ""]) => ({ name: String(id), from: String(from) }));
  const [areAllowed = false, systemCalls = []] = listOf(get("SystemCallFilter"));
  return {
    unit,
    loadState: text("LoadState"),
    loadError: String(listOf(get("LoadError"))[1] ?? ""),
    needsReload: get("NeedDaemonReload") === true,
    type: text("Type"),
    user: text("User"),
    isDynamicUser: get("DynamicUser") === true,
    hasDefaultDependencies: get("DefaultDependencies") !== false,
    after: listOf(get("After")).map(String),
    loadCredentials: credentials("LoadCredential"),
    loadEncrypted: credentials("LoadCredentialEncrypted"),
    setCredentials: [...rows("SetCredential"), ...rows("SetCredentialEncrypted")].map(([id = ""]) =>
      String(id),
    ),
    systemCalls: { areAllowed: areAllowed === true, names: listOf(systemCalls).map(String) },
    maxUserProcesses: limitOf(get("LimitNPROC")),
    maxTasks: limitOf(get("TasksMax")),
    rootDirectory: text("RootDirectory"),
    rootImage: text("RootImage"),
    noExecPaths: paths("NoExecPaths"),
    execPaths: paths("ExecPaths"),
    inaccessiblePaths: paths("InaccessiblePaths"),
    temporaryFileSystems: rows("TemporaryFileSystem").map(([path = ""]) => String(path)),
    binds: [...rows("BindPaths"), ...rows("BindReadOnlyPaths")].map(
      ([source = "", destination = ""]) => ({
        source: String(source),
        destination: String(destination),
      }),
    ),
    startTimeoutMs: limitOf(get("TimeoutStartUSec")) / 1000,
  };
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : [];
}

/** PID 1 says 2^64-1 for no limit, which is no exact number here. */
function limitOf(value: Value): number {
  return typeof value === "number" ? value : Infinity;
}

/** A path of a unit's file may begin with `-` (need not be there) and `+` (below RootDirectory=). */
function withoutFlags(path: Value): string {
  return String(path).replace(/^[-+]{1,2}(?=\/)/u, "");
}
