/**
 * Store paths by number, one number a path however many machines have it: of a thousand machines that
 * share their packages the names are kept once.
 */
export interface PathTable {
  /** The number of a path, from 0 on; a new one for a path that is new. */
  numberOf(path: string): number;
  /** The number of a path that it has; undefined for another. */
  find(path: string): number | undefined;
  /** The path of a number that this has given. */
  pathOf(number: number): string;
  readonly size: number;
}

/** Knows no path yet. */
export function createPathTable(): PathTable {
  const numbers = new Map<string, number>();
  const paths: string[] = [];
  return {
    numberOf: (path) => {
      const known = numbers.get(path);
      if (known !== undefined) return known;
      // A piece of a text keeps the whole of it in memory: a machine's list for the sake of one name.
      const own = Buffer.from(path, "latin1").toString("latin1");
      numbers.set(own, paths.length);
      return paths.push(own) - 1;
    },
    find: (path) => numbers.get(path),
    pathOf: (number) => paths[number] ?? "",
    get size() {
      return paths.length;
    },
  };
}
