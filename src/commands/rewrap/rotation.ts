import type { Cluster } from "../../cluster/cluster.ts";
import { readMember } from "../../cluster/cluster.ts";
import type { Located } from "../../cluster/configuration.ts";
import { openPool, wipePools } from "../../cluster/entries.ts";
import { pastMembers } from "../../cluster/history.ts";
import { expectedEntries } from "../../cluster/owed.ts";
import type { Identity } from "../../crypto/identity.ts";
import { recipientId } from "../../crypto/recipient.ts";
import type { NodeConfiguration } from "../../formats/configuration.ts";
import { entriesFolder } from "../../formats/paths.ts";
import type { Member } from "../../formats/records/pool.ts";
import { epochsOf, type VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { adoptNextIdentity, renewAgent } from "../identity/next.ts";

/** A node that sees to what is its own. */
export interface OwnNode {
  readonly located: Located<NodeConfiguration>;
  /** Its present identity, and the next one while it rotates. */
  readonly identities: readonly Identity[];
}

/** The pools of a pass. */
export interface PassPools {
  readonly all: readonly VerifiedPool[];
  /** Those of which one of the identities has an entry. */
  readonly own: readonly VerifiedPool[];
}

interface Membership {
  readonly file: VerifiedPool;
  readonly member: Member;
}

/**
 * After it, a rotation is at its end if it can be: every pool of the node names the next identity, it
 * has been seen to open whatever the present one does, has taken its place, and the entries of those
 * that the node had before are gone.
 *
 * @throws Failure `agent/unavailable`, `write/refused`, all that reading a pool's entries refuses
 */
export async function finishRotation(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  { all, own }: PassPools,
  { located, identities }: OwnNode,
): Promise<void> {
  const { node, identity: path } = located.configuration;
  const [current, next] = identities;
  if (current === undefined) return;
  // Only who rotates has to know of a pool whose entry it still waits for.
  const memberships = await membershipsOf(cluster, next === undefined ? own : all, node);
  if (next !== undefined) {
    const waiting = await whatWaits(cluster, memberships, current, next);
    if (waiting !== undefined) {
      context.print(`the identity of ${node} isn't rotated yet: ${waiting}`);
      return;
    }
    await adoptNextIdentity(path);
    await renewAgent(context, path);
    context.print(
      `the identity of ${node} is ${recipientId(next.recipient)}, the one before is gone`,
    );
  }
  const { recipient } = next ?? current;
  for (const { file, member } of memberships) {
    if (member.recipient === recipient) await removePast(cluster, roster, file, member);
  }
}

async function membershipsOf(
  { source }: Cluster,
  pools: readonly VerifiedPool[],
  node: string,
): Promise<Membership[]> {
  const found: Membership[] = [];
  for (const file of pools) {
    const member = await readMember(source, file, node);
    if (member !== undefined) found.push({ file, member });
  }
  return found;
}

/** Why the next identity can't take over yet; undefined if it can. */
async function whatWaits(
  cluster: Cluster,
  memberships: readonly Membership[],
  current: Identity,
  next: Identity,
): Promise<string | undefined> {
  if (next.recipient === current.recipient) return undefined;
  if (memberships.length === 0) return "no pool has this node";
  for (const { file, member } of memberships) {
    if (member.recipient !== next.recipient) {
      return `pool ${file.pool} has ${recipientId(member.recipient)}, a manager has to sign for ${recipientId(next.recipient)}`;
    }
    const opensBefore = await openPool(cluster, file, [current]);
    const opensAfter = await openPool(cluster, file, [next]);
    wipePools([...opensBefore, ...opensAfter]);
    const epochs = new Set(opensAfter.map(({ epoch }) => epoch));
    const needed = [file.current.epoch, ...opensBefore.map(({ epoch }) => epoch)];
    const missing = needed.find((epoch) => !epochs.has(epoch));
    if (missing !== undefined) {
      return `in pool ${file.pool} it opens no entry for epoch ${String(missing)}`;
    }
  }
  return undefined;
}

/** After it, only the node's present identity has entries in the pool's epochs. */
async function removePast(
  cluster: Cluster,
  roster: VerifiedRoster,
  file: VerifiedPool,
  { node, recipient }: Member,
): Promise<void> {
  const { source } = cluster;
  const expected = new Set((await expectedEntries(cluster, roster, file)).map(({ path }) => path));
  const extra: string[] = [];
  for (const { epoch } of epochsOf(file)) {
    const folder = entriesFolder(file.pool, epoch);
    const paths = (await source.list(folder)).map((name) => `${folder}/${name}`);
    extra.push(...paths.filter((path) => !expected.has(path)));
  }
  // Most passes end here, so that the history isn't read at each.
  if (extra.length === 0) return;
  for (const past of await pastMembers(cluster, roster, file, node)) {
    if (past.recipient === recipient) continue;
    const ending = `/${recipientId(past.recipient)}.age`;
    for (const path of extra) if (path.endsWith(ending)) await source.remove(path);
  }
}
