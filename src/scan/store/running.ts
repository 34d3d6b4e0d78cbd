import type { UnitUses } from "../../formats/uses.ts";
import type { Running } from "../report/report.ts";
import type { StoreGraph } from "./graph.ts";
import { closureOf } from "./trace.ts";

/** A path that something begins with, and where the store has it. */
export interface Start {
  readonly path: string;
  readonly place: number | undefined;
}

/** A unit with the places of its paths. */
export interface PlacedUnit extends Omit<UnitUses, "names" | "runs"> {
  readonly names: readonly Start[];
  readonly runs: readonly Start[];
}

/**
 * Whether a unit runs a path now, and would no longer after a restart.
 *
 * @param running - the way to the path from what its processes run; empty if there is none
 * @param named - the same from what it names
 * @param isGone - whether the path was deleted under it
 * @param missing - what couldn't be seen of the machine
 */
export function runningOf(
  graph: StoreGraph,
  unit: PlacedUnit,
  running: readonly string[],
  named: readonly string[],
  isGone: boolean,
  missing: readonly string[],
): Running {
  if (running.length === 0) {
    // One that is active and has no process may have done its work, if its processes can be seen.
    const isHidden = missing.includes("processes") || missing.includes("units");
    return unit.isActive && unit.runs.length === 0 && isHidden ? "unknown" : "no";
  }
  if (isGone) return "deleted but mapped";
  return named.length === 0 && isReplaced(graph, unit, running) ? "restart owed" : "yes";
}

/**
 * Whether what runs has come to be named in another build: a program or library of the same name. A
 * service may also run what nobody names, as a login does; no restart takes that away.
 */
function isReplaced(graph: StoreGraph, { names }: PlacedUnit, running: readonly string[]): boolean {
  const next = new Set(names.map(({ path }) => nameWithoutVersion(path)));
  for (const place of closureOf(
    graph,
    names.flatMap(({ place: at }) => at ?? []),
  )) {
    next.add(nameWithoutVersion(graph.pathAt(place)));
  }
  return running.some((path) => next.has(nameWithoutVersion(path)));
}

/** `openssl` of `/nix/store/HASH-openssl-3.0.7`: up to the first dash before a digit, as Nix has it. */
function nameWithoutVersion(path: string): string {
  return path.slice("/nix/store/".length + 33).replace(/-[0-9].*$/u, "");
}
