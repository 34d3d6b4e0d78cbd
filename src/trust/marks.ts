import { Failure } from "../failure.ts";

/** The highest generation of an object that a machine has seen, and the bytes it had (§10). */
export interface Mark {
  readonly series: number;
  readonly generation: number;
  /** SHA-256 in hex. */
  readonly hash: string;
}

/** Orders marks: by series, then by generation. */
export function compareMarks(a: Mark, b: Mark): number {
  return a.series - b.series || a.generation - b.generation;
}

const describe = ({ series, generation }: Mark): string =>
  series === 0 ? String(generation) : `${String(series)}.${String(generation)}`;

/**
 * Whether `found` is newer than what was `seen`; false if it is the very same.
 *
 * @param what - names the object
 * @throws Failure `mark/rolled-back` if it is older, `mark/equivocation` if it has the same
 *   number and other bytes
 */
export function isNews(seen: Mark | undefined, found: Mark, what: string): boolean {
  if (seen === undefined) return true;
  const order = compareMarks(found, seen);
  if (order < 0) {
    throw new Failure(
      "mark/rolled-back",
      `${what} is at ${describe(found)} in the source, this machine has seen ${describe(seen)}`,
    );
  }
  if (order === 0 && found.hash !== seen.hash) {
    throw new Failure(
      "mark/equivocation",
      `${what} ${describe(found)} is ${found.hash.slice(0, 16)}… in the source, this machine has seen ${seen.hash.slice(0, 16)}… under that number`,
    );
  }
  return order > 0;
}
