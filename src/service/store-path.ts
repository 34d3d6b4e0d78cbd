import { Failure } from "../failure.ts";

/** A store path, and what lies below it. */
export interface StoreObject {
  /** `/nix/store/HASH-NAME`. */
  readonly storePath: string;
  /** The whole path of the program. */
  readonly path: string;
}

// Nix's own grammar: 32 characters of its base 32 (no e, o, u, t), a dash, a name. Below it anything
// but what stands for bytes that are no text: the shell has others there than were looked at.
const grammar = /^(\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\-._?=]{1,211})\/[^\0\ufffd]+$/u;

/**
 * The program at `path`, which has to be below a store path.
 *
 * @throws Failure `closure/not-in-store`
 */
export function parseProgram(path: string): StoreObject {
  const storePath = grammar.exec(path)?.[1];
  const climbs = path.split("/").some((part) => part === ".." || part === ".");
  // To realise a derivation would be to build it.
  const isDerivation = storePath?.endsWith(".drv") === true;
  if (storePath !== undefined && !climbs && !isDerivation) return { storePath, path };
  throw new Failure(
    "closure/not-in-store",
    `program ${JSON.stringify(path.slice(0, 200))} is not below /nix/store/HASH-NAME/`,
  );
}
