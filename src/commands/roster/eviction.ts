import { readNodeCard } from "../../cluster/cards.ts";
import { readMember, readPool, type Cluster } from "../../cluster/cluster.ts";
import { beginEpoch, pastEpochs } from "../../cluster/epochs.ts";
import { obstaclesOf, requireSettled } from "../../cluster/leaving.ts";
import { entryPath, nodeFolder } from "../../formats/paths.ts";
import type { Member } from "../../formats/records/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { readPoolState, writePool, type PoolState } from "./pool-change.ts";
import { reportWritten } from "../report.ts";
import type { Signer } from "../signing.ts";

// The order, in which a start finds what it needs whenever somebody is stopped: the new identity's
// entries; a pool file that names it, and the old one as leaving; headers for it, by whoever opens the
// old one; a pool file without the old one; its headers and entries removed.

/** A node's going from one pool. */
export interface Eviction {
  readonly pool: string;
  readonly node: string;
  /** What the pool's member lists have said of the node, today's or the latest first. */
  readonly was: readonly Member[];
  /** Whether it is a member still. */
  readonly isMember: boolean;
  /** Whether nobody can have its identity any more, so that the epoch goes on. */
  readonly isDestroyed: boolean;
  /** The key that signs the pool files; undefined where there is nothing to sign. */
  readonly signer: Signer | undefined;
}

/**
 * Takes a node out of a pool, as far as that needs no identity.
 *
 * @returns whether nothing is left to do
 * @throws Failure `pool/leaving`, `generation/conflict`, `write/refused`, `signer/…`
 */
export async function evict(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  eviction: Eviction,
): Promise<boolean> {
  const { source } = cluster;
  const { pool, node } = eviction;
  if (eviction.isMember) await takeOut(context, cluster, roster, eviction);
  if (!(await dropLeaving(context, cluster, roster, eviction))) return false;
  const { file, members } = await readPoolState(cluster, roster, pool);
  if (file === undefined) return true;
  const { epoch } = file.record.current;
  // In the epochs of before lie the entries of everybody; in the current one only a destroyed node's.
  const entries = eviction.was
    .filter(({ recipient }) => !members.some((member) => member.recipient === recipient))
    .map(({ recipient }) => entryPath(pool, epoch, recipient));
  for (const path of [...(await pastEpochs(source, pool, epoch)), ...entries]) {
    await source.remove(path);
  }
  context.print(`pool ${pool}: nothing is left of what ${node} could open there`);
  return true;
}

async function takeOut(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  { pool, node, isDestroyed, signer }: Eviction,
): Promise<void> {
  const state = await readPoolState(cluster, roster, pool);
  const { file } = state;
  if (file === undefined || signer === undefined) return;
  const members = state.members.filter((member) => member.node !== node);
  if (isDestroyed) {
    const { current, leaving } = file.record;
    await write(context, cluster, roster, signer, state, { members, current, leaving });
    return;
  }
  await requireSettled(cluster, roster, file.record, context.each);
  const readers = [...members, ...roster.operators].map(({ recipient }) => recipient);
  const { current, entries } = await beginEpoch(
    cluster.source,
    pool,
    file.record.current.epoch,
    readers,
    context.each,
  );
  reportWritten(context, [cluster.source.place(entries)]);
  const leaving = file.record.current;
  await write(context, cluster, roster, signer, state, { members, current, leaving });
}

/** Whether the pool leaves no epoch, after dropping the one that nothing needs any more. */
async function dropLeaving(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  { pool, signer }: Eviction,
): Promise<boolean> {
  const state = await readPoolState(cluster, roster, pool);
  if (state.file === undefined || state.file.record.leaving === null) return true;
  const found = await obstaclesOf(cluster, roster, state.file.record, context.each);
  for (const what of found) context.print(`owed: ${what}`);
  if (found.length > 0 || signer === undefined) return false;
  const { current } = state.file.record;
  await write(context, cluster, roster, signer, state, {
    members: state.members,
    current,
    leaving: null,
  });
  return true;
}

async function write(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  signer: Signer,
  { file }: PoolState,
  next: Parameters<typeof writePool>[6],
): Promise<void> {
  if (file === undefined) return;
  const folder = await writePool(context, cluster, roster, signer, file.record.pool, file, next);
  reportWritten(context, [cluster.source.place(folder)]);
}

/** After it, the card of a node that is in no pool isn't in the source; one by another host key stays. */
export async function forgetCard(
  cluster: Cluster,
  roster: VerifiedRoster,
  node: string,
  evictions: readonly Eviction[],
): Promise<void> {
  const card = await readNodeCard(cluster.source, node);
  const was = evictions.flatMap((eviction) => eviction.was);
  // By the host key: it may have announced its next identity.
  if (card === undefined || !was.some(({ hostKey }) => hostKey === card.hostKey)) return;
  for (const { name } of roster.pools) {
    const file = await readPool(cluster, roster, name);
    if (file !== undefined && (await readMember(cluster.source, file.record, node))) return;
  }
  await cluster.source.remove(nodeFolder(node));
}
