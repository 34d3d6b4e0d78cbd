import { Failure } from "../../failure.ts";

/**
 * How a list of paths is written: as `nix-store --dump-db` writes it, or without hash and size, as
 * `nix-store --register-validity` reads it (nix-store(1)). An entry is some lines: path, in a dump hash and
 * size, deriver, how many references, and these.
 */
export type GraphForm = "dump" | "registration";

/** A path with what it refers to, as it was written. */
export interface GraphEntry {
  readonly path: string;
  /** The derivation that made it; empty where the list doesn't say. */
  readonly deriver: string;
  readonly references: readonly string[];
}

/** No path refers to more, and to so many only a channel of everything. */
const maxOfOne = 200_000;

/**
 * The entries of a list, in its order; nothing of them is judged.
 *
 * @throws Failure `inventory/malformed` at the first line that can't be there
 */
export function* readEntries(
  text: string,
  form: GraphForm,
  what: string,
): Generator<GraphEntry, void, undefined> {
  let at = 0;
  let line = 0;
  const refuse = (why: string): Failure =>
    new Failure("inventory/malformed", `${what}, line ${String(line)}: ${why}`);
  const next = (): string => {
    line++;
    const end = text.indexOf("\n", at);
    if (end === -1) throw refuse("it is cut short");
    const found = text.slice(at, end);
    at = end + 1;
    return found;
  };
  while (at < text.length) {
    const path = next();
    if (!path.startsWith("/")) throw refuse("no store path begins an entry there");
    if (form === "dump") {
      next();
      next();
    }
    const deriver = next();
    const number = next();
    if (!/^[0-9]{1,6}$/u.test(number) || Number(number) > maxOfOne) {
      throw refuse("there is no number of references");
    }
    const references: string[] = [];
    for (let count = Number(number); count > 0; count--) references.push(next());
    yield { path, deriver, references };
  }
}

/** An entry without hash and size, and without the deriver, which no machine has that downloaded the path. */
export function writeEntry({ path, references }: Omit<GraphEntry, "deriver">): string {
  return [path, "", String(references.length), ...references, ""].join("\n");
}
