import { Failure } from "../failure.ts";

/** The highest generation of an object that a machine has seen, and the bytes it had (§10). */
export interface Mark {
  readonly series: number;
  readonly generation: number;
  /** SHA-256 in hex. */
  readonly hash: string;
}

/** Orders marks: by series, then by generation. */
export function compareMarks(
  a: Pick<Mark, "series" | "generation">,
  b: Pick<Mark, "series" | "generation">,
): number {
  return a.series - b.series || a.generation - b.generation;
}

/**
 * So far above what was seen a generation may be, and no farther: a mark can't be lowered, and so one
 * statement under the last number there is would put an end to a name on every node that saw it. No
 * history is so long that a machine that was away for it would refuse what is right.
 */
const maxRise = 2 ** 32;

/** So far above the generation before it, in a source, one may be: branches that are joined leave gaps. */
export const maxStep = 1000;

const describe = ({ series, generation }: Mark): string =>
  series === 0 ? String(generation) : `${String(series)}.${String(generation)}`;

/**
 * Whether `found` is newer than what was `seen`; false if it is the very same.
 *
 * @param what - names the object
 * @throws Failure `mark/rolled-back` if it is older, `mark/equivocation` if it has the same
 *   number and other bytes, `generation/leap` if it is beyond all that can have come since
 */
export function isNews(seen: Mark | undefined, found: Mark, what: string): boolean {
  refuseLeap(seen, found, what);
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

function refuseLeap(seen: Mark | undefined, found: Mark, what: string): void {
  // A series that is new here begins at 1.
  const last = seen?.series === found.series ? seen.generation : 0;
  if (found.generation - last <= maxRise) return;
  const seenHere = seen === undefined ? "none" : describe(seen);
  throw new Failure(
    "generation/leap",
    `${what} is at ${describe(found)} in the source, this machine has seen ${seenHere}: no history is so long`,
  );
}
