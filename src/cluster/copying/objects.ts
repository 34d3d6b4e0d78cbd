import { Failure } from "../../failure.ts";
import { inParallel } from "../../host/in-parallel.ts";
import type { Source } from "../../sources/source.ts";

/** One thing that a source lacks and another has. */
export interface Step {
  readonly path: string;
  /** Puts it there. @throws Failure `generation/conflict`; `source/…`, `write/refused` */
  carry(): Promise<void>;
}

/** From where to where. */
export interface Way {
  readonly from: Source;
  readonly to: Source;
}

/** What follows where something at the origin isn't whole, and nobody needs it. */
export const notCarried = "it isn't carried";

/** An object that stands by itself. */
export interface Single {
  readonly path: string;
  readonly maxBytes: number;
  /** Throws a failure unless the bytes are whole, as far as that can be told without an identity. */
  readonly judge: (bytes: Uint8Array) => void;
}

const atOnce = 32;

/**
 * What brings objects there that aren't there, or aren't whole there. Each is judged as it is carried: who
 * wrote it may write again.
 *
 * @throws Failure `source/…` if it can't be seen what is there
 */
export async function objectSteps(way: Way, objects: readonly Single[]): Promise<Step[]> {
  const whole = await inParallel(atOnce, objects, (object) => isWhole(way.to, object));
  return objects
    .filter((_, index) => whole[index] !== true)
    .map((object) => objectStep(way, object));
}

/** What brings an object there, whatever is there. */
export function objectStep({ from, to }: Way, { path, maxBytes, judge }: Single): Step {
  return {
    path,
    carry: async () => {
      const bytes = await from.read(path, maxBytes);
      // Gone since: whoever took it away knows why.
      if (bytes === undefined) return;
      judge(bytes);
      await to.write(path, bytes);
    },
  };
}

async function isWhole(source: Source, { path, maxBytes, judge }: Single): Promise<boolean> {
  const bytes = await readPlain(source, path, maxBytes);
  if (bytes === undefined) return false;
  try {
    judge(bytes);
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

/** The bytes at `path`; undefined also if it is no plain file, or larger. @throws Failure `source/…` */
export async function readPlain(
  source: Source,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  try {
    return await source.read(path, maxBytes);
  } catch (error) {
    if (error instanceof Failure && error.code === "source/hostile") return undefined;
    throw error;
  }
}
