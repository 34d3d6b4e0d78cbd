import type { Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import {
  bundleFolder,
  entriesOf,
  headersFolder,
  headersOf,
  poolFolder,
} from "../../formats/paths.ts";
import type { MirrorPass } from "../../sources/mirror-writing.ts";
import { epochsOf, type VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { listBundlesWithHeaders, type PoolEpoch } from "../bundles.ts";
import { readPool, readRoster, type Cluster } from "../cluster.ts";
import { generationsIn } from "../generations.ts";
import { bundlesToAdd } from "./added-bundles.ts";
import { mirrorBundle } from "./bundle.ts";
import { mirrorAll } from "./objects.ts";
import { mirrorPool } from "./pool.ts";

/** What a pass was about, and what of it couldn't be judged: of that the mirror keeps what it had. */
export interface Mirrored {
  /** The pools that the node belongs to. */
  readonly pools: readonly string[];
  readonly bundles: readonly string[];
  readonly failures: readonly Failure[];
  readonly standing: Standing;
}

/** A node whose mirror it is. */
export interface MirroredNode {
  /** Of which pools it is a member is seen by their entries. */
  readonly recipients: readonly Recipient[];
  /** The pools that are looked into besides those of the mirror; all that there are if undefined. */
  readonly pools?: readonly string[] | undefined;
}

/** What is brought: what a node needs, or what any node of the cluster does. */
export type Whose = MirroredNode | "all";

/**
 * Brings what one node needs of a source into its mirror: the newest roster; of the pools that the node
 * belongs to the pool files, its entries, the member lists, and the bundles that have headers there; and
 * the files of other pools that those bundles are for too. What somebody has signed is judged first, and
 * what the source has lost stays, so that a source that was altered, emptied or set back takes nothing
 * from the node.
 *
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
  const recipients = whose === "all" ? whose : whose.recipients;
  for (const name of await poolsLookedInto(pass, roster, whose)) {
    try {
      const pool = await mirrorPool(pass, cluster, roster, name, recipients);
      if (pool !== undefined) own.push(pool);
    } catch (error) {
      failures.push(failureOf(error));
      await keepPool(pass, name);
    }
  }
  const epochs = own.flatMap((file) =>
    epochsOf(file).map(({ epoch }) => ({ pool: file.pool, epoch })),
  );
  const known = [...(await listBundlesWithHeaders(pass.mirror, epochs)), ...asked];
  const added = await bundlesToAdd(cluster.source, epochs, new Set(known));
  failures.push(...added.failures);
  // What services have comes before what is only said to be a bundle.
  const bundles = [...new Set([...known.toSorted(), ...added.bundles])];
  const standing = { roster, pools: own.map(({ pool }) => pool), epochs };
  failures.push(...(await mirrorBundles(cluster, standing, bundles, pass)));
  return { pools: standing.pools, bundles: bundles.toSorted(), failures, standing };
}

/** What was found of a node, and holds until the roster, its pools' files or its entries change. */
export interface Standing {
  readonly roster: VerifiedRoster;
  /** The pools that the node belongs to. */
  readonly pools: readonly string[];
  readonly epochs: readonly PoolEpoch[];
}

/**
 * Brings bundles into the mirror, and the files of other pools that they are for too.
 *
 * @returns what couldn't be judged, of which the mirror keeps what it had
 * @throws Failure `write/refused`
 */
export async function mirrorBundles(
  cluster: Cluster,
  { roster, pools, epochs }: Standing,
  bundles: readonly string[],
  pass: MirrorPass,
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  const audience = new Set<string>();
  for (const bundle of bundles) {
    try {
      const pools = await mirrorBundle(pass, cluster, roster, bundle, epochs);
      for (const pool of pools) audience.add(pool);
    } catch (error) {
      failures.push(failureOf(error));
      await keepBundle(pass, bundle, epochs);
    }
  }
  for (const name of audience) {
    if (pools.includes(name)) continue;
    try {
      await mirrorAll(pass, cluster, (seen) => readPool(seen, roster, name));
    } catch (error) {
      failures.push(failureOf(error));
      await pass.keepFolder(poolFolder(name));
    }
  }
  return failures;
}

/** The pools of the roster of which the node may be a member, in the roster's order. */
async function poolsLookedInto(
  { mirror }: MirrorPass,
  roster: VerifiedRoster,
  whose: Whose,
): Promise<readonly string[]> {
  const names = roster.pools.map(({ name }) => name);
  if (whose === "all" || whose.pools === undefined) return names;
  const known = new Set(whose.pools);
  const has = await Promise.all(
    names.map(async (name) => known.has(name) || (await mirror.list(entriesOf(name))).length > 0),
  );
  return names.filter((_, index) => has[index] === true);
}

function failureOf(error: unknown): Failure {
  if (error instanceof Failure && error.code !== "write/refused") return error;
  throw error;
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
