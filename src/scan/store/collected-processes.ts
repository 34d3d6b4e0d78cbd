import { storePathOf } from "../../service/store-path.ts";
import type { Collected } from "./collected.ts";

/** What runs on a machine and has something of the store. */
export interface SeenProcess {
  readonly name: string;
  /** The service that it belongs to, as systemd has grouped it; undefined for none. */
  readonly unit: string | undefined;
  /** Store paths that it runs, has mapped or open. */
  readonly runs: ReadonlySet<string>;
  /** Of these, what was deleted since. */
  readonly deleted: ReadonlySet<string>;
}

/** The processes that a machine has shown. The script's own, and those that began since, are none of them. */
export function seenProcesses({ lines }: Collected): SeenProcess[] {
  const groups = unitsOf(lines("groups"));
  const names = new Map(
    lines("names").flatMap((line) => {
      const [, pid, name] = /^\/proc\/([0-9]+)\/comm:(.*)$/u.exec(line) ?? [];
      return pid === undefined ? [] : [[pid, name ?? ""] as const];
    }),
  );
  const own = lines("process")[0];
  const found = new Map<string, { runs: Set<string>; deleted: Set<string> }>();
  for (const line of lines("files")) {
    const [, pid = "", file = ""] = /^([0-9]+) (\/.*)$/u.exec(line) ?? [];
    const path = storePathOf(file.replace(/ \(deleted\)$/u, ""));
    if (path === undefined || pid === own || !groups.has(pid)) continue;
    const process = found.get(pid) ?? { runs: new Set(), deleted: new Set() };
    found.set(pid, process);
    process.runs.add(path);
    if (file.endsWith(" (deleted)")) process.deleted.add(path);
  }
  return [...found].map(([pid, process]) => ({
    name: names.get(pid) ?? "?",
    unit: groups.get(pid),
    ...process,
  }));
}

/** The unit of each process by its number; undefined where it is in none. */
function unitsOf(lines: readonly string[]): ReadonlyMap<string, string | undefined> {
  const groups = new Map<string, string>();
  for (const line of lines) {
    // systemd's hierarchy: its own named one, or the unified one (cgroups(7)).
    const [, pid, hierarchy, group = ""] =
      /^\/proc\/([0-9]+)\/cgroup:[0-9]+:([^:]*):(.*)$/u.exec(line) ?? [];
    if (pid === undefined) continue;
    const isNamed = hierarchy === "name=systemd";
    const before = groups.get(pid);
    if (isNamed || before === undefined || before === "")
      groups.set(pid, isNamed || hierarchy === "" ? group : "");
  }
  // Who looks from outside of a container sees its groups below that container's own.
  const own = groups.get("1") ?? "";
  const above = own.endsWith("/init.scope") ? own.slice(0, -"/init.scope".length) : "";
  return new Map(
    [...groups].map(([pid, group]) => [
      pid,
      group.startsWith(`${above}/`) ? unitOfGroup(group.slice(above.length)) : undefined,
    ]),
  );
}

/** `/system.slice/system-a.slice/a@1.service/below` is of `a@1.service`: what is below, it made itself. */
function unitOfGroup(group: string): string | undefined {
  const unit = group.split("/").find((part) => part !== "" && !part.endsWith(".slice"));
  return unit?.endsWith(".service") === true ? unit : undefined;
}
