import { join } from "node:path";
import type { Cluster } from "../../cluster/cluster.ts";
import { syncState, type Located } from "../../cluster/configuration.ts";
import { enteredPools } from "../../cluster/mirror/entered-pools.ts";
import { findInventory } from "../../cluster/inventories.ts";
import { pruneCollected } from "../../cluster/inventory-writing.ts";
import { mirrorBundles, mirrorNode, type Standing } from "../../cluster/mirror/mirroring.ts";
import { openOutbox } from "../../cluster/node-source.ts";
import { carryOutbox } from "../../cluster/mirror/outbox.ts";
import { knownRecipients } from "../../cluster/mirror/own-recipients.ts";
import type { Failure } from "../../failure.ts";
import type { NodeConfiguration } from "../../formats/configuration.ts";
import { formatTime } from "../../formats/fields.ts";
import { bundleFolder, headersFolder, inventoryPath } from "../../formats/paths.ts";
import { encodeSynced, syncedPath } from "../../formats/synced.ts";
import { makeDirectory } from "../../host/files.ts";
import { beginPass, type DirectoryPass } from "../../sources/mirror-writing.ts";
import type { Source } from "../../sources/source.ts";

/** What one pass did. */
export interface SyncReport {
  readonly pools: readonly string[];
  readonly bundles: readonly string[];
  /** What of the outbox was written into the source. */
  readonly written: readonly string[];
  /** What the mirror couldn't take, and keeps as it was. */
  readonly failures: readonly Failure[];
  /** What a later pass over some bundles goes on from. */
  readonly standing: Standing;
  readonly kept: ReadonlySet<string>;
}

/**
 * One pass: carries the outbox to the source, then brings what this node needs into the mirror.
 *
 * @param cluster - as `openToMirror` gives it
 * @param asked - bundles that somebody waits for
 * @param isSent - whether the source is a tree that somebody has sent, and what is carried goes back to him
 * @throws Failure all that reading the roster refuses, and then the mirror is as it was; `card/absent`
 */
export async function syncOnce(
  located: Located<NodeConfiguration>,
  mirror: string,
  cluster: Cluster,
  asked: readonly string[],
  isSent = false,
): Promise<SyncReport> {
  await makeDirectory(mirror, 0o755);
  const outbox = await openOutbox(located.configuration);
  // He may not get it; what he has got already he doesn't take again.
  const state = isSent ? undefined : join(syncState(mirror), "carried");
  const carried = await carryOutbox(outbox, cluster.source, state);
  await pruneInventory(outbox, cluster.source, located.configuration.node, carried.written);
  const recipients = await knownRecipients(located, cluster.source);
  const writing = beginPass(mirror);
  const pools = await enteredPools(cluster.source, recipients, join(syncState(mirror), "entered"));
  const mirrored = await mirrorNode(cluster, { recipients, pools }, asked, writing);
  await finish(located, cluster, writing);
  return {
    ...mirrored,
    kept: writing.kept,
    written: carried.written,
    failures: [...carried.failures, ...mirrored.failures],
  };
}

/**
 * A pass over some bundles alone, where nothing else has changed since the pass before.
 *
 * @param before - that pass, which found nothing wrong
 * @throws Failure `write/refused`
 */
export async function syncBundles(
  located: Located<NodeConfiguration>,
  mirror: string,
  cluster: Cluster,
  before: SyncReport,
  bundles: readonly string[],
): Promise<SyncReport> {
  const { standing } = before;
  const changed = bundles.flatMap((bundle) => [
    `${bundleFolder(bundle)}/`,
    ...standing.epochs.map(({ pool, epoch }) => `${headersFolder(pool, epoch)}/${bundle}/`),
  ]);
  const writing = beginPass(mirror, before.kept, changed);
  const failures = await mirrorBundles(cluster, standing, bundles, writing);
  await finish(located, cluster, writing);
  const all = [...new Set([...before.bundles, ...bundles])].sort();
  return { ...before, bundles: all, kept: writing.kept, written: [], failures };
}

/** After it, the mirror says as of when it is, and names what the pass has put or kept. */
async function finish(
  { configuration: { cluster: id } }: Located<NodeConfiguration>,
  { now, source }: Cluster,
  writing: DirectoryPass,
): Promise<void> {
  const synced = { version: 1, cluster: id, at: formatTime(now), source: source.name } as const;
  await writing.put(syncedPath, encodeSynced(synced));
  await writing.finish();
}

/** After it, the source has nothing of the inventories that came before one that was just carried there. */
async function pruneInventory(
  outbox: Source,
  source: Source,
  node: string,
  written: readonly string[],
): Promise<void> {
  if (!written.includes(inventoryPath(node))) return;
  const own = await findInventory(outbox, node);
  if (own !== undefined) await pruneCollected(source, node, own.bytes);
}
