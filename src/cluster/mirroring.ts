import type { Recipient } from "../crypto/recipient.ts";
import { Failure } from "../failure.ts";
import { maxEntrySize } from "../formats/entry.ts";
import {
  bundleFolder,
  entriesFolder,
  entriesOf,
  entryPath,
  headersFolder,
  headersOf,
  membersPath,
  poolFolder,
} from "../formats/paths.ts";
import type { MirrorPass } from "../sources/mirror-writing.ts";
import { epochsOf, type VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { listBundlesWithHeaders, type PoolEpoch } from "./bundles.ts";
import { readMembers, readPool, readRoster, type Cluster } from "./cluster.ts";
import { generationsIn } from "./generations.ts";
import { mirrorBundle } from "./mirroring-bundle.ts";
import { mirrorAll, mirrorUnsigned } from "./mirroring-objects.ts";

/** What a pass was about, and what of it couldn't be judged: of that the mirror keeps what it had. */
export interface Mirrored {
  /** The pools that the node belongs to. */
  readonly pools: readonly string[];
  readonly bundles: readonly string[];
  readonly failures: readonly Failure[];
}

/** What is brought: what a node with these recipients needs, or what any node of the cluster does. */
export type Whose = readonly Recipient[] | "all";

/**
 * Brings what one node needs of a source into its mirror: the newest roster and pool files, and of the
 * pools that the node belongs to its entries, the member lists, and the bundles that have headers there.
 * What somebody has signed is judged first, and what the source has lost stays, so that a source that was
 * altered, emptied or set back takes nothing from the node.
 *
 * @param whose - of which pools the node is a member is seen by the entries of its recipients
 * @param asked - bundles that are wanted besides
 * @throws Failure all that `readRoster` refuses: nothing else can be judged then; `write/refused`
 */
export async function mirrorNode(
  cluster: Cluster,
  whose: Whose,
  asked: readonly string[],
  pass: MirrorPass,
): Promise<Mirrored> {
  const { record: roster } = await mirrorAll(pass, cluster, readRoster);
  const failures: Failure[] = [];
  const own: VerifiedPool[] = [];
  for (const { name } of roster.pools) {
    try {
      const pool = await mirrorPool(pass, cluster, roster, name, whose);
      if (pool !== undefined) own.push(pool);
    } catch (error) {
      failures.push(failureOf(error));
      await keepPool(pass, name);
    }
  }
  const epochs = own.flatMap((file) =>
    epochsOf(file).map(({ epoch }) => ({ pool: file.pool, epoch })),
  );
  const listed = await Promise.all(
    [cluster.source, pass.mirror].map((source) => listBundlesWithHeaders(source, epochs)),
  );
  const bundles = [...new Set([...listed.flat(), ...asked])].sort();
  for (const bundle of bundles) {
    try {
      await mirrorBundle(pass, cluster, roster, bundle, epochs);
    } catch (error) {
      failures.push(failureOf(error));
      await keepBundle(pass, bundle, epochs);
    }
  }
  return { pools: own.map(({ pool }) => pool), bundles, failures };
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure && error.code !== "write/refused") return error;
  throw error;
}

/** The pool's file, if the node belongs to the pool. */
async function mirrorPool(
  pass: MirrorPass,
  cluster: Cluster,
  roster: VerifiedRoster,
  name: string,
  whose: Whose,
): Promise<VerifiedPool | undefined> {
  const read = await mirrorAll(pass, cluster, async (seen) => {
    const found = await readPool(seen, roster, name);
    // Nothing is to name what isn't there, where each object is written for good.
    if (found !== undefined && whose === "all") {
      await mirrorAllEntries(pass, cluster, found.record);
      await readMembers(seen.source, found.record);
    }
    return found;
  });
  if (read === undefined || whose === "all") return read?.record;
  const { record: pool } = read;
  let isMember = false;
  for (const { epoch } of epochsOf(pool)) {
    for (const recipient of whose) {
      const path = entryPath(name, epoch, recipient);
      if (await mirrorUnsigned(pass, cluster, path, maxEntrySize)) isMember = true;
    }
  }
  if (!isMember) return undefined;
  // That the others have theirs is all that a pass of this node needs to know.
  for (const path of await entriesIn(cluster, pool)) pass.keep(path);
  await mirrorMembers(pass, cluster, pool);
  return pool;
}

async function mirrorAllEntries(
  pass: MirrorPass,
  cluster: Cluster,
  pool: VerifiedPool,
): Promise<void> {
  for (const path of await entriesIn(cluster, pool)) {
    await mirrorUnsigned(pass, cluster, path, maxEntrySize);
  }
}

/** Where the entries are that the pool's epochs have. */
async function entriesIn({ source }: Cluster, pool: VerifiedPool): Promise<string[]> {
  const folders = epochsOf(pool).map(({ epoch }) => entriesFolder(pool.pool, epoch));
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await source.list(folder);
      return names
        .filter((name) => /^[0-9a-f]{32}\.age$/u.test(name))
        .map((name) => `${folder}/${name}`);
    }),
  );
  return found.flat();
}

/** Member lists are long, and never change: one that the mirror has isn't fetched again. */
async function mirrorMembers(
  pass: MirrorPass,
  cluster: Cluster,
  pool: VerifiedPool,
): Promise<void> {
  try {
    await readMembers(pass.mirror, pool);
    pass.keep(membersPath(pool.pool, pool.generation));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    await mirrorAll(pass, cluster, ({ source }) => readMembers(source, pool));
  }
}

async function keepPool(pass: MirrorPass, pool: string): Promise<void> {
  for (const folder of [poolFolder(pool), entriesOf(pool), headersOf(pool)]) {
    await pass.keepFolder(folder);
  }
  const epochs = (await generationsIn(pass.mirror, headersOf(pool))).map((epoch) => ({
    pool,
    epoch,
  }));
  for (const bundle of await listBundlesWithHeaders(pass.mirror, epochs)) {
    await pass.keepFolder(bundleFolder(bundle));
  }
}

async function keepBundle(
  pass: MirrorPass,
  bundle: string,
  epochs: readonly PoolEpoch[],
): Promise<void> {
  await pass.keepFolder(bundleFolder(bundle));
  for (const { pool, epoch } of epochs) {
    await pass.keepFolder(`${headersFolder(pool, epoch)}/${bundle}`);
  }
}
