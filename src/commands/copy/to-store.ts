import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { listBundles } from "../../cluster/bundles.ts";
import { readRoster, type Cluster } from "../../cluster/cluster.ts";
import { requireRepository } from "../../cluster/configuration.ts";
import { readSealedTree } from "../../cluster/sealed-tree.ts";
import { parseName } from "../../formats/names.ts";
import { addToStore, type Addition } from "../../host/nix/adding.ts";
import { listInvalid } from "../../host/nix/caches.ts";
import { sealedName, sealedPath, treeOf } from "../../service/sealed-path.ts";
import { openSource } from "../../sources/open.ts";
import { describeGeneration, type VerifiedStatement } from "../../trust/statement.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import type { CopyOptions } from "./copy.ts";
import { reportNext } from "../report.ts";
import { openWithMarks } from "../repository.ts";

/** A generation of a bundle as the store is to have it. */
interface Storable {
  readonly statement: VerifiedStatement;
  readonly addition: Addition;
  readonly path: string;
}

const addingTakesAtMostMs = 60_000;

/**
 * After it, the Nix store of this machine has a store path of the newest generation of each bundle, which
 * follows from its bytes, and the paths are printed. A bundle whose path is there isn't touched.
 *
 * @param names - of bundles; all if there are none
 * @throws Failure whatever would keep a start from taking one of them, before anything is written;
 *   `closure/failed`, `closure/unavailable`, `program/missing`
 */
export async function copyToStore(
  context: Context,
  names: readonly string[],
  { from, dryRun }: Omit<CopyOptions, "to">,
): Promise<void> {
  const asked = names.map((name) => parseName("bundle", name));
  const repository = await requireRepository(context.directory, context.configuration);
  const trusting = await openWithMarks(context, repository, true);
  const cluster = { ...trusting, source: await openSource(from, context.directory) };
  const { record: roster } = await readRoster(cluster);
  const bundles = asked.length > 0 ? asked : await listBundles(cluster.source);
  const storables = await context.each("bundle", bundles, (bundle) =>
    makeStorable(cluster, roster, bundle),
  );
  const missing = await listMissing(storables.map(({ path }) => path));
  const isMissing = ({ path }: Storable): boolean => missing.includes(path);
  context.result(storables.map((one) => ({ ...describe(one), isNew: isMissing(one) })));
  await context.table(
    ["bundle", "generation", "store path", ""],
    storables.map((one) => {
      const { bundle, path } = describe(one);
      const generation = describeGeneration(one.statement);
      return [bundle, generation, path, isMissing(one) ? "missing" : "is there"];
    }),
  );
  if (missing.length === 0) {
    context.print("nothing to do: the Nix store has all of them");
  } else {
    if (dryRun) return;
    await context.confirm(`put ${describeCount(missing.length)} into the Nix store?`);
    await context.each("bundle", storables.filter(isMissing), ({ addition }) => put(addition));
    context.print(`put ${describeCount(missing.length)} into the Nix store`);
  }
  reportStored(
    context,
    storables.map(({ path }) => path),
  );
}

/**
 * The store path of a bundle's newest generation, which now is in the Nix store of this machine.
 *
 * @throws Failure as {@link copyToStore}
 */
export async function storeBundle(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<string> {
  const { addition, path } = await makeStorable(cluster, roster, bundle);
  await put(addition);
  return path;
}

/** Prints what is to be done with store paths of bundles. */
export function reportStored(context: Context, paths: readonly string[]): void {
  if (paths.length === 0) return;
  reportNext(context, `nix copy --to CACHE ${paths.join(" ")}`);
  context.print("then let the unit name it: --bundle NAME=/nix/store/…");
}

/** Those that Nix hasn't. It is asked only of what is on disk: what isn't can be told without it. */
async function listMissing(paths: readonly string[]): Promise<string[]> {
  const present = paths.filter((path) => existsSync(path));
  const invalid = await listInvalid(present);
  return paths.filter((path) => !present.includes(path) || invalid.includes(path));
}

async function makeStorable(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<Storable> {
  const { statement, files } = await readSealedTree(cluster, roster, bundle);
  const { series, generation } = statement;
  const name = sealedName(bundle, series, generation);
  const tree = treeOf(files);
  const addition = { name, tree, files: "plain" } as const;
  return { statement, addition, path: sealedPath(name, tree) };
}

function describe({ statement, path }: Storable): {
  readonly bundle: string;
  readonly series: number;
  readonly generation: number;
  readonly path: string;
} {
  const { name: bundle, series, generation } = statement;
  return { bundle, series, generation, path };
}

// Nothing keeps it there: it is here to be published, and whoever asks for it pins it.
async function put(addition: Addition): Promise<void> {
  await addToStore(addition, tmpdir(), addingTakesAtMostMs, () => Promise.resolve());
}

function describeCount(count: number): string {
  return count === 1 ? "1 bundle" : `${String(count)} bundles`;
}
