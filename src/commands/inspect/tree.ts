import { realpath, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { Failure } from "../../failure.ts";
import { listDirectory } from "../../host/files.ts";
import { isInStore } from "../../service/store-path.ts";
import type { StatementPlace } from "../../trust/statement.ts";

/** A directory with `keys/` or `secrets/`, and what of its bundles a path in it means. */
export interface Tree {
  readonly directory: string;
  /** The bundle whose folder was named, or the beginning of several's names; undefined for all. */
  readonly bundle: string | undefined;
  /** The generation whose folder was named. */
  readonly place: StatementPlace | undefined;
}

/**
 * The tree that a path lies in, links followed.
 *
 * @param path - absolute: the tree itself, its `keys` or `secrets`, a bundle's folder or a generation's
 * @throws Failure `file/absent` if nothing is there; `source/unreadable` if it is in no tree
 */
export async function findTree(path: string): Promise<Tree> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) {
    const hint = isInStore(path) ? `nix-store --realise ${path}` : undefined;
    throw new Failure("file/absent", `there is no ${path}`, hint);
  }
  for (let directory = real; ; directory = dirname(directory)) {
    const inside = relative(directory, real);
    if (await isTree(directory, inside)) {
      const [, named] = /^secrets\/bundles\/(.+)$/u.exec(inside) ?? [];
      return { directory, ...meantBy(named) };
    }
    if (directory === dirname(directory)) break;
  }
  const isDirectory = (await stat(real)).isDirectory();
  throw new Failure(
    "source/unreadable",
    `${path} ${isDirectory ? "has neither keys/roster nor secrets/bundles" : "is no directory"}, and is no bundle's folder in one that has`,
    "name a directory with keys/ and secrets/, or secrets/bundles/NAME in it; a bundle's name alone has no / or . before it",
  );
}

/** Whether a directory is a tree of which the path inside it is a part that has bundles. */
async function isTree(directory: string, inside: string): Promise<boolean> {
  if (!/^(?:|keys|secrets|secrets\/bundles(?:\/.*)?)$/u.test(inside)) return false;
  const [keys, secrets] = await Promise.all([
    listDirectory(join(directory, "keys")),
    listDirectory(join(directory, "secrets")),
  ]);
  return keys.includes("roster") || secrets.includes("bundles");
}

function meantBy(named: string | undefined): Pick<Tree, "bundle" | "place"> {
  const [, bundle = "", series, generation] =
    /^(.+)\/([0-9]{1,15})\.([0-9]{1,15})$/u.exec(named ?? "") ?? [];
  if (generation === undefined) return { bundle: named, place: undefined };
  return { bundle, place: { bundle, series: Number(series), generation: Number(generation) } };
}
