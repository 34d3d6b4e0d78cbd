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
  /** Notes that some machine's list names `deriver` as the derivation that made a path. */
  addDeriver(path: number, deriver: string): void;
  /** The derivations that lists name for a path, eight at most. */
  deriversOf(path: number): readonly string[];
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
  const derivers = new Map<number, string[]>();
  return {
    numberOf: (path) => {
      const known = numbers.get(path);
      if (known !== undefined) return known;
      const own = copyOf(path);
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
    addDeriver: (path, deriver) => {
      const known = derivers.get(path);
      if (known === undefined) derivers.set(path, [copyOf(deriver)]);
      else if (!known.includes(deriver) && known.length < maxDerivers) known.push(copyOf(deriver));
    },
    deriversOf: (path) => derivers.get(path) ?? [],
    get size() {
      return paths.length;
    },
  };
}

/** A piece of a text keeps the whole of it in memory: a machine's list for the sake of one name. */
function copyOf(piece: string): string {
  return Buffer.from(piece, "latin1").toString("latin1");
}

/** A few derivations make the same path, if any; who claims more of them wants to be read for long. */
const maxDerivers = 8;
const none = -1;
const nothing = new Uint32Array();
