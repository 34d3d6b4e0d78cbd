import type { UnitUses, Uses } from "../../formats/uses.ts";
import { isStorePath, storePathOf } from "../../service/store-path.ts";
import type { Collected } from "./collected.ts";
import { seenProcesses, type SeenProcess } from "./collected-processes.ts";
import { seenBundles, seenUnits } from "./collected-units.ts";
import { readEntries, writeEntry } from "./graph-form.ts";

/**
 * What keeps and uses store paths on a machine, of what it has printed. Names of what isn't part of it
 * any more after a restart, such as numbers of processes, are left out: nothing changes but what has.
 */
export function usesOf(collected: Collected): Uses {
  const processes = seenProcesses(collected);
  const bundles = seenBundles(collected);
  const shown = new Map(seenUnits(collected).map((unit) => [unit.unit, unit]));
  const running = Map.groupBy(processes, ({ unit }) => unit);
  const names = new Set([...shown.keys(), ...running.keys()].filter((unit) => unit !== undefined));
  const units = [...names].sort().map((unit): UnitUses => {
    const seen = shown.get(unit);
    const own = running.get(unit) ?? [];
    return {
      unit,
      owner: seen?.owner ?? null,
      isActive: seen?.isActive ?? true,
      names: [...(seen?.names ?? [])],
      ...pathsOf(own),
      bundles: [...(bundles.get(unit) ?? [])],
    };
  });
  const others = Map.groupBy(running.get(undefined) ?? [], ({ name }) => name);
  return {
    version: 1,
    roots: rootsIn(collected),
    units: units.filter(({ names: named, runs, bundles: got }) =>
      [named, runs, got].some(({ length }) => length > 0),
    ),
    processes: [...others]
      .map(([name, own]) => ({ name: asText(name), ...pathsOf(own) }))
      .sort(by(({ name }) => name)),
    missing: [...collected.missing],
  };
}

function pathsOf(processes: readonly SeenProcess[]): { runs: string[]; deleted: string[] } {
  const all = (of: (process: SeenProcess) => Iterable<string>): string[] =>
    [...new Set(processes.flatMap((process) => [...of(process)]))].sort();
  return { runs: all(({ runs }) => runs), deleted: all(({ deleted }) => deleted) };
}

/** Links below Nix's own directories, and those elsewhere that they lead to: nix-store(1), --add-root. */
function rootsIn({ lines }: Collected): Uses["roots"] {
  const found = new Map<string, string>();
  for (const line of lines("roots")) {
    const [, root, target = ""] = /^l[^/]* (\/.*?) -> (.*)$/u.exec(line) ?? [];
    const path = storePathOf(target);
    if (root !== undefined && path !== undefined) found.set(asText(root), path);
  }
  return [...found].map(([root, path]) => ({ root, path })).sort(by(({ root }) => root));
}

/**
 * The paths of the store without derivations, which are what something was built of and not what it needs,
 * as `nix-store --register-validity` reads them.
 *
 * @throws Failure `inventory/malformed`
 */
export function registrationOf({ dump }: Collected, what: string): string {
  const entries: string[] = [];
  for (const { path, references } of readEntries(dump, "dump", what)) {
    if (!isStorePath(path) || path.endsWith(".drv")) continue;
    const needed = references.filter((one) => !one.endsWith(".drv"));
    entries.push(writeEntry({ path, references: needed }));
  }
  return entries.join("");
}

function asText(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8").slice(0, 1024);
}

function by<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
