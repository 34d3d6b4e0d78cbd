import type { Uses } from "../../formats/uses.ts";
import { componentOf, type Component } from "../component.ts";
import type { StoreList } from "./list.ts";
import type { StoreTable } from "./table.ts";

/** What is kept of a machine's store while others are looked at. */
export interface ScannedStore {
  readonly node: string;
  readonly list: StoreList;
  /** Numbers of paths that something runs and the store hasn't any more. */
  readonly deleted: readonly number[];
  /** What uses its paths, read anew each time: of a thousand machines nobody wants to keep it. */
  readonly uses: () => Uses;
}

/** A store with what is needed of its uses, `deleted`, worked out. */
export function scannedStore(
  node: string,
  list: StoreList,
  uses: () => Uses,
  table: StoreTable,
): ScannedStore {
  const present = new Set<number>();
  for (const entry of list.entries) present.add(table.pathOfEntry(entry));
  const { units, processes } = uses();
  const run = new Set([...units, ...processes].flatMap(({ runs }) => runs));
  const deleted = [...run].map((path) => table.numberOf(path)).filter((one) => !present.has(one));
  return { node, list, deleted, uses };
}

/** The numbers of all paths of a store, deleted ones too. */
export function* numbersOf({ list, deleted }: ScannedStore, table: StoreTable): Generator<number> {
  for (const entry of list.entries) yield table.pathOfEntry(entry);
  yield* deleted;
}

/** The packages among all paths of some stores, by the paths' numbers. */
export function componentsOf(
  stores: readonly ScannedStore[],
  table: StoreTable,
): ReadonlyMap<number, Component> {
  const seen = new Set<number>();
  const found = new Map<number, Component>();
  for (const store of stores) {
    for (const number of numbersOf(store, table)) {
      if (seen.has(number)) continue;
      seen.add(number);
      const component = componentOf(table.pathOf(number));
      if (component !== undefined) found.set(number, component);
    }
  }
  return found;
}
