import { Failure } from "../failure.ts";
import { isStorePath } from "../service/store-path.ts";
import { createEdges, type Edges } from "./edges.ts";
import { readEntries, type GraphForm } from "./graph-form.ts";
import type { PathTable } from "./path-table.ts";

/** The valid paths of one store, and what each refers to. Places count from 0 and are this graph's own. */
export interface StoreGraph {
  /** How many paths it has. */
  readonly size: number;
  /** The store path at a place. */
  readonly pathAt: (place: number) => string;
  /** The number of that path in the table that the graph was read with. */
  readonly numberAt: (place: number) => number;
  /** Where a path is; undefined if the store hasn't it. */
  readonly placeOf: (path: string) => number | undefined;
  /** The places that the path at a place refers to, itself left out. */
  readonly references: Edges;
  /** The places of those that refer to it, itself left out. */
  readonly referrers: Edges;
  /** What was left out: names that are no store path, doubles, references to what isn't there. */
  readonly skipped: number;
}

/** Ten times what any store has that we have seen; so many take some 200 MB. */
const maxPaths = 1_000_000;
const maxReferences = 20_000_000;

/**
 * The graph that a list of paths describes. It may come from a machine that lies: what is no store path
 * is skipped, and a cycle is as good as any other reference.
 *
 * @param text - Latin 1: store paths are ASCII
 * @param what - names the list in messages
 * @throws Failure `inventory/malformed` if it has another form, is cut short, or claims too much
 */
export function readGraph(
  text: string,
  form: GraphForm,
  table: PathTable,
  what: string,
): StoreGraph {
  const numbers: number[] = [];
  const places = new Map<number, number>();
  const from: number[] = [];
  const named: number[] = [];
  let skipped = 0;
  for (const { path, references } of readEntries(text, form, what)) {
    const number = isStorePath(path) ? table.numberOf(path) : undefined;
    if (number === undefined || places.has(number)) {
      skipped++;
      continue;
    }
    const place = numbers.push(number) - 1;
    places.set(number, place);
    for (const reference of references) {
      if (reference === path) continue;
      if (isStorePath(reference)) {
        from.push(place);
        named.push(table.numberOf(reference));
      } else skipped++;
    }
    if (numbers.length > maxPaths || named.length > maxReferences) {
      throw new Failure(
        "inventory/malformed",
        `${what} claims more than ${String(maxPaths)} paths or ${String(maxReferences)} references`,
      );
    }
  }
  const known = named.map((number) => places.get(number));
  const begins = from.filter((_, at) => known[at] !== undefined);
  const ends = known.filter((place) => place !== undefined);
  const own = Uint32Array.from(numbers);
  return {
    size: own.length,
    pathAt: (place) => table.pathOf(own[place] ?? 0),
    numberAt: (place) => own[place] ?? 0,
    placeOf: (path) => {
      const number = table.find(path);
      return number === undefined ? undefined : places.get(number);
    },
    references: createEdges(own.length, begins, ends),
    referrers: createEdges(own.length, ends, begins),
    skipped: skipped + named.length - ends.length,
  };
}
