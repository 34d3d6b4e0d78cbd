import { Failure } from "../failure.ts";

/** A store path, and what lies below it. */
export interface StoreObject {
  /** `/nix/store/HASH-NAME`. */
  readonly storePath: string;
  /** The whole path: of a program, or of a file that may be the store path itself. */
  readonly path: string;
}

// Nix's own grammar: 32 characters of its base 32 (no e, o, u, t), a dash, a name. Below it anything
// but what stands for bytes that are no text: the shell has others there than were looked at.
const storePath = "/nix/store/[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\\-._?=]{1,211}";
const grammar = new RegExp(`^(${storePath})((?:/[^\\0\\ufffd]+)?)$`, "u");
const beginning = new RegExp(`^${storePath}(?=/|$)`, "u");

/** Whether `path` is in the store at all, or claims to be. */
export function isInStore(path: string): boolean {
  return path.startsWith("/nix/store/");
}

const whole = new RegExp(`^${storePath}$`, "u");

/** Whether `path` is `/nix/store/HASH-NAME`, with nothing below it; a derivation is one too. */
export function isStorePath(path: string): boolean {
  return whole.test(path);
}

/** The store path that `path` is or lies below; undefined if it lies in none. */
export function storePathOf(path: string): string | undefined {
  return beginning.exec(path)?.[0];
}

/**
 * The program at `path`, which has to be below a store path.
 *
 * @throws Failure `closure/not-in-store`
 */
export function parseProgram(path: string): StoreObject {
  const found = parseObject(path);
  if (found !== undefined && found.storePath !== path) return found;
  throw new Failure(
    "closure/not-in-store",
    `program ${JSON.stringify(path.slice(0, 200))} is not below /nix/store/HASH-NAME/`,
  );
}

/**
 * The file at `path`, which has to be a store path or below one.
 *
 * @throws Failure `closure/not-in-store`
 */
export function parseStoreFile(path: string): StoreObject {
  const found = parseObject(path);
  if (found !== undefined) return found;
  throw new Failure(
    "closure/not-in-store",
    `file ${JSON.stringify(path.slice(0, 200))} is not /nix/store/HASH-NAME, nor below one`,
  );
}

/**
 * `path`, if it is a store path and nothing below one.
 *
 * @throws Failure `closure/not-in-store`
 */
export function parseStorePath(path: string): string {
  if (parseObject(path)?.storePath === path) return path;
  throw new Failure(
    "closure/not-in-store",
    `${JSON.stringify(path.slice(0, 200))} is no store path /nix/store/HASH-NAME`,
    "name what 'sealaunch copy --to nix:' has printed",
  );
}

function parseObject(path: string): StoreObject | undefined {
  const found = grammar.exec(path)?.[1];
  const climbs = path.split("/").some((part) => part === ".." || part === ".");
  // To realise a derivation would be to build it.
  if (found === undefined || climbs || found.endsWith(".drv")) return undefined;
  return { storePath: found, path };
}
