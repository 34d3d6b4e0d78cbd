/**
 * What the stores of many machines are made of, each thing once however many machines have it: paths by
 * number, and entries, which are a path with what it refers to. A machine's store is then a list of numbers.
 */
export interface StoreTable {
  /** The number of a path, from 0 on; a new one for a path that is new. */
  numberOf(path: string): number;
  /** The number of a path that it has; undefined for another. */
  find(path: string): number | undefined;
  /** The path of a number that this has given. */
  pathOf(number: number): string;
  /** The number of the entry in which a path refers to just these, in this order. */
  entryOf(path: number, references: readonly number[]): number;
  /** The number of an entry's path. */
  pathOfEntry(entry: number): number;
  /** The numbers of what an entry's path refers to. */
  referencesOf(entry: number): Uint32Array;
  /** How many paths it has. */
  readonly size: number;
}

/** Knows nothing yet. */
export function createStoreTable(): StoreTable {
  const numbers = new Map<string, number>();
  const paths: string[] = [];
  /** By a path's number the first entry that it has; the next of the same path, if any, by entry. */
  const first: number[] = [];
  const next: number[] = [];
  const owners: number[] = [];
  const references: Uint32Array[] = [];
  return {
    numberOf: (path) => {
      const known = numbers.get(path);
      if (known !== undefined) return known;
      // A piece of a text keeps the whole of it in memory: a machine's list for the sake of one name.
      const own = Buffer.from(path, "latin1").toString("latin1");
      numbers.set(own, paths.length);
      first.push(none);
      return paths.push(own) - 1;
    },
    find: (path) => numbers.get(path),
    pathOf: (number) => paths[number] ?? "",
    entryOf: (path, named) => {
      for (let entry = first[path] ?? none; entry !== none; entry = next[entry] ?? none) {
        const known = references[entry];
        if (known?.length === named.length && named.every((one, at) => one === known[at]))
          return entry;
      }
      next.push(first[path] ?? none);
      owners.push(path);
      const entry = references.push(Uint32Array.from(named)) - 1;
      first[path] = entry;
      return entry;
    },
    pathOfEntry: (entry) => owners[entry] ?? 0,
    referencesOf: (entry) => references[entry] ?? nothing,
    get size() {
      return paths.length;
    },
  };
}

const none = -1;
const nothing = new Uint32Array();
