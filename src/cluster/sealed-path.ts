import { Failure } from "../failure.ts";
import { bundleFolder } from "../formats/paths.ts";
import { factsOf } from "../host/file-facts.ts";
import { takeBundlesFrom } from "../sources/bundles-elsewhere.ts";
import { openDirectory } from "../sources/directory.ts";
import type { Source } from "../sources/source.ts";
import { describeGeneration, type StatementPlace } from "../trust/statement.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { listBundles } from "./bundles.ts";
import { readStatementAt, type Cluster, type ReadStatement } from "./cluster.ts";

/** A bundle in a store path. */
export interface Stored {
  /** Which has of it what the store path has, and all else as before, also headers of newer epochs. */
  readonly cluster: Cluster;
  readonly read: ReadStatement;
}

/**
 * The bundle that a store path was made of, verified by whom the cluster trusts. A store
 * path never changes, so that no mark is made and none is asked; what the roster puts out of use is put
 * out of use here too.
 *
 * @param bundle - which it has to be: whoever swaps two paths, or gives another cluster's, is refused
 * @throws Failure `closure/absent` if it isn't on disk; `bundle/wrong-path` if it has another, or none; all that `judgeStatement` refuses
 */
export async function readStored(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
  storePath: string,
): Promise<Stored> {
  if ((await factsOf(storePath)) === undefined) {
    throw new Failure(
      "closure/absent",
      `${storePath}, named for bundle ${bundle}, isn't in the Nix store of this machine`,
      `nix-store --realise ${storePath}`,
    );
  }
  const stored = openDirectory(storePath, "/");
  const taken = openStored(cluster, storePath);
  const place = await findPlace(stored, bundle);
  const read = place && (await readStatementAt(taken, roster, place));
  if (read !== undefined) return { cluster: taken, read };
  const found = (await listBundles(stored)).join(", ");
  throw wrongPath(`${storePath} is named for bundle ${bundle}, and has ${found || "no bundle"}`);
}

/** The cluster with the bundles that a store path has; all else, and headers that it lacks, as before. */
export function openStored(cluster: Cluster, storePath: string): Cluster {
  return { ...cluster, source: takeBundlesFrom(openDirectory(storePath, "/"), cluster.source) };
}

/** Returns if a stored generation is as new as asked for. @throws Failure `bundle/wrong-path` */
export function requireFloor({ read }: Stored, storePath: string, floor: number): void {
  const { record } = read;
  if (record.generation >= floor) return;
  throw wrongPath(
    `${storePath} has bundle ${record.name} ${describeGeneration(record)}, and the command asks for ${String(floor)} or newer`,
  );
}

function wrongPath(what: string): Failure {
  return new Failure("bundle/wrong-path", what);
}

/** Its newest generation, of whatever series: the roster says which counts. */
async function findPlace(source: Source, bundle: string): Promise<StatementPlace | undefined> {
  const places = (await source.list(bundleFolder(bundle))).flatMap((name) => {
    const [, series, generation] = /^([0-9]{1,15})\.([1-9][0-9]{0,14})$/u.exec(name) ?? [];
    return generation === undefined
      ? []
      : [{ bundle, series: Number(series), generation: Number(generation) }];
  });
  return places.sort((a, b) => b.series - a.series || b.generation - a.generation)[0];
}
