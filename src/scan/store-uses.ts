import type { UnitUses, Uses } from "../formats/uses.ts";
import type { Running, Use } from "./report.ts";
import type { StoreGraph } from "./store-graph.ts";
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

/**
 * Everybody who needs a path of the store: services, other processes, and what keeps it from a collection,
 * each in turn with the shortest way first. There is always one: where nothing needs it, that is said.
 *
 * @param path - one that the store has, or that something of `uses` runs though the store hasn't it
 */
export function usesOfPath(store: StoreUses, path: string): PathUse[] {
  const { graph, uses } = store;
  const place = graph.placeOf(path);
  const trace = place === undefined ? undefined : traceUp(graph, place);
  const way = (starts: readonly string[]): readonly string[] =>
    shortest(graph, trace, starts) ?? (starts.includes(path) ? [path] : []);
  const units = uses.units.flatMap((unit) => unitUse(store, unit, path, way) ?? []);
  const processes = uses.processes.flatMap(({ name, runs, deleted }): PathUse[] => {
    const through = way(runs);
    if (through.length === 0) return [];
    const isGone = place === undefined || deleted.includes(path);
    return [{ ...nobody, root: `process ${name}`, through, running: gone(isGone) }];
  });
  const using = [...units, ...processes].sort(nearest);
  const told = new Set(units.map(({ unit }) => unit));
  const roots = uses.roots
    .map(({ root, path: start }): PathUse => {
      const unit = unitOfRoot(root);
      return { ...ownerOf(uses, unit), root, through: way([start]), running: "no" };
    })
    .filter(({ unit, through }) => through.length > 0 && !told.has(unit ?? ""))
    .sort(nearest);
  const more = roots.length - maxRootsTold;
  const found = [...using, ...roots.slice(0, maxRootsTold)];
  if (more > 0) {
    found.push({ ...nobody, root: `${String(more)} more links`, through: [path], running: "no" });
  }
  if (found.length > 0) return found;
  const isKnown = uses.missing.length === 0;
  const root = isKnown ? "nothing: a collection takes it" : "nothing that could be seen";
  return [{ ...nobody, root, through: [path], running: isKnown ? "no" : "unknown" }];
}

const nobody = { unit: undefined, service: undefined, owner: undefined };

const nearest = (a: PathUse, b: PathUse): number => a.through.length - b.through.length;

const gone = (isGone: boolean): Running => (isGone ? "deleted but mapped" : "yes");

/** Of the ways from several paths the shortest; undefined if there is none. */
function shortest(
  graph: StoreGraph,
  trace: Trace | undefined,
  starts: readonly string[],
): readonly string[] | undefined {
  let best: number | undefined;
  let distance = Infinity;
  for (const start of starts) {
    const place = graph.placeOf(start);
    const far = place === undefined ? undefined : trace?.distance(place);
    if (far === undefined || far >= distance) continue;
    best = place;
    distance = far;
  }
  return best === undefined ? undefined : trace?.chainFrom(best).map(graph.pathAt);
}

function unitUse(
  store: StoreUses,
  unit: UnitUses,
  path: string,
  way: (starts: readonly string[]) => readonly string[],
): PathUse | undefined {
  const running = way(unit.runs);
  const named = way(unit.names);
  const through = running.length > 0 ? running : named;
  if (through.length === 0) return undefined;
  return {
    unit: unit.unit,
    service: unit.unit.replace(/\.service$/u, ""),
    owner: unit.owner ?? undefined,
    root: unit.unit,
    through,
    running: stateOf(store, unit, path, running, named),
  };
}

function stateOf(
  { graph, uses }: StoreUses,
  unit: UnitUses,
  path: string,
  running: readonly string[],
  named: readonly string[],
): Running {
  if (running.length === 0) {
    // One that is active and has no process may have done its work, if its processes can be seen.
    const isHidden = uses.missing.includes("processes") || uses.missing.includes("units");
    return unit.isActive && unit.runs.length === 0 && isHidden ? "unknown" : "no";
  }
  if (graph.placeOf(path) === undefined || unit.deleted.includes(path)) return "deleted but mapped";
  return named.length === 0 && isReplaced(graph, unit, running) ? "restart owed" : "yes";
}

/**
 * Whether what runs has come to be named in another build: a program or library of the same name. A
 * service may also run what nobody names, as a login does; no restart takes that away.
 */
function isReplaced(graph: StoreGraph, unit: UnitUses, running: readonly string[]): boolean {
  const starts = unit.names.flatMap((name) => graph.placeOf(name) ?? []);
  const next = new Set(unit.names.map(nameWithoutVersion));
  for (const place of closureOf(graph, starts)) next.add(nameWithoutVersion(graph.pathAt(place)));
  return running.some((path) => next.has(nameWithoutVersion(path)));
}

/** `openssl` of `/nix/store/HASH-openssl-3.0.7`: up to the first dash before a digit, as Nix has it. */
function nameWithoutVersion(path: string): string {
  return path.slice("/nix/store/".length + 33).replace(/-[0-9].*$/u, "");
}

/** `/var/lib/sealaunch/roots/dns.service/HASH-NAME` keeps what a start of that unit had. */
function unitOfRoot(root: string): string | undefined {
  return /\/roots\/([^/]+\.service)\/[^/]+$/u.exec(root)?.[1];
}

function ownerOf(
  { units }: Uses,
  unit: string | undefined,
): Pick<PathUse, "unit" | "service" | "owner"> {
  if (unit === undefined) return nobody;
  const owner = units.find((one) => one.unit === unit)?.owner ?? undefined;
  return { unit, service: unit.replace(/\.service$/u, ""), owner };
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

/** Paths that something runs and the store hasn't any more. */
export function deletedPaths({ graph, uses }: StoreUses): string[] {
  const all = [...uses.units, ...uses.processes].flatMap(({ runs }) => runs);
  return [...new Set(all)].filter((path) => graph.placeOf(path) === undefined).sort();
}
