import { createEdges, type Edges } from "./edges.ts";
import type { StoreList } from "./list.ts";
import type { StoreTable } from "./table.ts";

/** The valid paths of one store, and what each refers to. Places count from 0 and are this graph's own. */
export interface StoreGraph {
  /** How many paths it has. */
  readonly size: number;
  /** The store path at a place. */
  readonly pathAt: (place: number) => string;
  /** Where a path is; undefined if the store hasn't it. */
  readonly placeOf: (path: string) => number | undefined;
  /** The places that the path at a place refers to, itself left out. */
  readonly references: Edges;
  /** The places of those that refer to it, itself left out. */
  readonly referrers: Edges;
  /** How many references lead to what the store hasn't. */
  readonly dangling: number;
}

/** The graph of a store, for as long as somebody looks at it. A cycle is as good as any other reference. */
export function graphOfList({ entries }: StoreList, table: StoreTable): StoreGraph {
  const numbers = entries.map((entry) => table.pathOfEntry(entry));
  const places = new Map<number, number>();
  for (const [place, number] of numbers.entries()) places.set(number, place);
  const begins: number[] = [];
  const ends: number[] = [];
  let dangling = 0;
  for (const [place, entry] of entries.entries()) {
    for (const reference of table.referencesOf(entry)) {
      const end = places.get(reference);
      if (end === undefined) dangling++;
      else {
        begins.push(place);
        ends.push(end);
      }
    }
  }
  return {
    size: numbers.length,
    pathAt: (place) => table.pathOf(numbers[place] ?? 0),
    placeOf: (path) => {
      const number = table.find(path);
      return number === undefined ? undefined : places.get(number);
    },
    references: createEdges(numbers.length, begins, ends),
    referrers: createEdges(numbers.length, ends, begins),
    dangling,
  };
}
