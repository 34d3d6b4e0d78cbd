import type { Uses } from "../../formats/uses.ts";
import type { Running, Use } from "../report/report.ts";
import { runningOf, type PlacedUnit, type Start } from "./running.ts";
import type { StoreGraph } from "./graph.ts";
import { closureOf, traceUp, type Trace } from "./trace.ts";

/** A store, and what keeps and uses its paths. */
export interface StoreUses {
  readonly graph: StoreGraph;
  readonly uses: Uses;
}

/** Somebody on one machine who needs a path, and how. */
export type PathUse = Omit<Use, "node">;

/** Of the links that keep one path so many are told of; a machine has hundreds of generations of one profile. */
const maxRootsTold = 8;

/** The shortest of the ways from some paths to the one that is asked about; empty if there is none. */
export type Way = (starts: readonly Start[]) => readonly string[];

/**
 * Tells of any path who needs it: services, other processes, and what keeps it from a collection, each in
 * turn with the shortest way first. There is always one: where nothing needs it, that is said. The path is
 * one that the store has, or that something of `uses` runs though the store hasn't it.
 */
export function usesIn({ graph, uses }: StoreUses): (path: string) => PathUse[] {
  const start = (path: string): Start => ({ path, place: graph.placeOf(path) });
  const units = uses.units.map((unit): PlacedUnit => {
    return { ...unit, names: unit.names.map(start), runs: unit.runs.map(start) };
  });
  const processes = uses.processes.map((one) => ({ ...one, runs: one.runs.map(start) }));
  const roots = uses.roots.map(({ root, path }) => ({
    root,
    unit: unitOfRoot(root),
    start: start(path),
  }));
  const owners = new Map(uses.units.map(({ unit, owner }) => [unit, owner ?? undefined]));
  const isKnown = uses.missing.length === 0;
  return (path) => {
    const place = graph.placeOf(path);
    const trace = place === undefined ? undefined : traceUp(graph, place);
    const way: Way = (starts) =>
      shortest(graph, trace, starts) ?? (starts.some((one) => one.path === path) ? [path] : []);
    const isGone = (deleted: readonly string[]): boolean =>
      place === undefined || deleted.includes(path);
    const using: PathUse[] = [];
    for (const unit of units) {
      const [running, named] = [way(unit.runs), way(unit.names)];
      const through = running.length > 0 ? running : named;
      if (through.length === 0) continue;
      const state = runningOf(graph, unit, running, named, isGone(unit.deleted), uses.missing);
      using.push({ ...whose(owners, unit.unit), root: unit.unit, through, running: state });
    }
    const told = new Set(using.map(({ unit }) => unit));
    for (const { name, runs, deleted } of processes) {
      const through = way(runs);
      const running: Running = isGone(deleted) ? "deleted but mapped" : "yes";
      if (through.length > 0) using.push({ ...nobody, root: `process ${name}`, through, running });
    }
    using.sort(nearest);
    const kept = roots.flatMap(({ root, unit, start: begin }): PathUse[] => {
      const through = unit !== undefined && told.has(unit) ? [] : way([begin]);
      return through.length === 0 ? [] : [{ ...whose(owners, unit), root, through, running: "no" }];
    });
    const found = [...using, ...fewOf(kept.sort(nearest), path)];
    if (found.length > 0) return found;
    const root = isKnown ? "nothing: a collection takes it" : "nothing that could be seen";
    return [{ ...nobody, root, through: [path], running: isKnown ? "no" : "unknown" }];
  };
}

const nobody = { unit: undefined, service: undefined, owner: undefined };

const nearest = (a: PathUse, b: PathUse): number => a.through.length - b.through.length;

function fewOf(kept: readonly PathUse[], path: string): readonly PathUse[] {
  const more = kept.length - maxRootsTold;
  if (more <= 0) return kept;
  const rest: PathUse = {
    ...nobody,
    root: `${String(more)} more links`,
    through: [path],
    running: "no",
  };
  return [...kept.slice(0, maxRootsTold), rest];
}

function shortest(
  graph: StoreGraph,
  trace: Trace | undefined,
  starts: readonly Start[],
): readonly string[] | undefined {
  let best: number | undefined;
  let distance = Infinity;
  for (const { place } of starts) {
    const far = place === undefined ? undefined : trace?.distance(place);
    if (far === undefined || far >= distance) continue;
    best = place;
    distance = far;
  }
  return best === undefined ? undefined : trace?.chainFrom(best).map(graph.pathAt);
}

/** `/var/lib/sealaunch/roots/dns.service/HASH-NAME` keeps what a start of that unit had. */
function unitOfRoot(root: string): string | undefined {
  return /\/roots\/([^/]+\.service)\/[^/]+$/u.exec(root)?.[1];
}

function whose(
  owners: ReadonlyMap<string, string | undefined>,
  unit: string | undefined,
): Pick<PathUse, "unit" | "service" | "owner"> {
  if (unit === undefined) return nobody;
  return { unit, service: unit.replace(/\.service$/u, ""), owner: owners.get(unit) };
}

/** The store paths that a unit needs: by what it runs and what it names. Empty if the machine hasn't it. */
export function pathsOfUnit({ graph, uses }: StoreUses, unit: string): string[] {
  const found = uses.units.find((one) => one.unit === unit);
  if (found === undefined) return [];
  const starts = [...new Set([...found.runs, ...found.names])];
  const places = starts.flatMap((path) => graph.placeOf(path) ?? []);
  const absent = starts.filter((path) => graph.placeOf(path) === undefined);
  return [...absent, ...[...closureOf(graph, places)].map(graph.pathAt)].sort();
}
