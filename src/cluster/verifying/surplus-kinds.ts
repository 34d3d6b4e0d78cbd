import { Failure } from "../../failure.ts";
import type { Source } from "../../sources/source.ts";

/** What lies in a source beyond what it should hold, by the object of a `Finding`. */
export interface Surplus {
  /** What would let somebody read whom nobody has signed for. */
  readonly readers: Map<string, Failure[]>;
  /** What nothing reads: left over, or put there by mistake. */
  readonly unneeded: Map<string, Failure[]>;
}

/** Whether a name is that of a generation or an epoch. */
export const isNumber = (name: string): boolean => /^[1-9][0-9]{0,14}$/u.test(name);

function add(to: Map<string, Failure[]>, object: string, failure: Failure): void {
  to.set(object, [...(to.get(object) ?? []), failure]);
}

/** Adds that what lies at `path` would let somebody read an object whom nobody has signed for. */
export function addReader(
  { readers }: Surplus,
  object: string,
  source: Source,
  path: string,
  why: string,
): void {
  const failure = new Failure(
    "surplus/reader",
    `${path} ${why}`,
    `find out who wrote it, replace the values, and remove ${source.place(path)}`,
  );
  add(readers, object, failure);
}

/** Adds that nothing needs what lies at `path`. */
export function addUnneeded(
  { unneeded }: Surplus,
  object: string,
  source: Source,
  path: string,
  why: string,
): void {
  const failure = new Failure("surplus/unneeded", `${path} ${why}`, `remove ${source.place(path)}`);
  add(unneeded, object, failure);
}

/** Adds each name in a folder that isn't what may lie there. */
export async function addStrays(
  surplus: Surplus,
  object: string,
  source: Source,
  folder: string,
  mayLieThere: (name: string) => boolean,
): Promise<void> {
  for (const name of (await source.list(folder)).sort()) {
    if (mayLieThere(name)) continue;
    addUnneeded(surplus, object, source, `${folder}/${name}`, "is nothing that lies there");
  }
}
