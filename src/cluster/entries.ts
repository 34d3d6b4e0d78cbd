import { utf8, wipe } from "../crypto/bytes.ts";
import type { Identity } from "../crypto/identity.ts";
import { recipientId } from "../crypto/recipient.ts";
import { Failure } from "../failure.ts";
import { maxEntrySize, openEntry } from "../formats/entry.ts";
import { entryPath, poolPath, recordFile } from "../formats/paths.ts";
import type { Source } from "../sources/source.ts";
import { epochsOf, type VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readMembers, readPool, type Cluster } from "./cluster.ts";
import { named } from "./named.ts";

/** A pool's identity for one of its epochs. */
export interface OpenedPool {
  readonly pool: string;
  readonly epoch: number;
  /** The caller wipes its seed, with {@link wipePools}. */
  readonly identity: Identity;
}

/** Forgets the identities of pools. */
export function wipePools(pools: readonly OpenedPool[]): void {
  wipe(...pools.map(({ identity }) => identity.seed));
}

/**
 * The identities of a pool that one of `identities` has entries for: the current epoch's first, then
 * that of the epoch which is being left. A node has two while it rotates.
 *
 * @throws Failure all that `openEntry` refuses: an entry that is there has to be good
 */
export async function openPool(
  cluster: Cluster,
  pool: VerifiedPool,
  identities: readonly Identity[],
): Promise<OpenedPool[]> {
  const opened: OpenedPool[] = [];
  for (const { epoch, recipient } of epochsOf(pool)) {
    for (const identity of identities) {
      const path = entryPath(pool.pool, epoch, identity.recipient);
      const bytes = await cluster.source.read(path, maxEntrySize);
      if (bytes === undefined) continue;
      const own = cluster.memory.recall("entry", [bytes, identity.seed, utf8(recipient)], () =>
        named(`${path} in ${cluster.source.name}`, () => openEntry(bytes, identity, recipient)),
      );
      // What is remembered stays; the caller wipes his own.
      const seed = cluster.memory.keeps ? own.seed.slice() : own.seed;
      opened.push({ pool: pool.pool, epoch, identity: { ...own, seed } });
      break;
    }
  }
  return opened;
}

/** The pools of an audience, and those identities of theirs that `identity` opens. */
export interface Access {
  readonly pools: readonly VerifiedPool[];
  readonly opened: readonly OpenedPool[];
}

/** What `identities` can open for an audience. */
export async function openAudience(
  cluster: Cluster,
  roster: VerifiedRoster,
  audience: readonly string[],
  identities: readonly Identity[],
): Promise<Access> {
  const reads = await Promise.all(audience.map((pool) => readPool(cluster, roster, pool)));
  const pools = reads.flatMap((read) => (read === undefined ? [] : [read.record]));
  const opened = await Promise.all(pools.map((pool) => openPool(cluster, pool, identities)));
  return { pools, opened: opened.flat() };
}

/**
 * Why nothing opens for an audience: the identity is another node's, its entry is owed, or it
 * belongs to none of the pools. Reads member lists, which a start that succeeds never does.
 *
 * @param node - the name that the machine is configured with, where it is a node
 */
export async function explainNoAccess(
  cluster: Cluster,
  { pools }: Access,
  identities: readonly Identity[],
  what: string,
  node?: string,
): Promise<Failure> {
  const ids = identities.map(({ recipient }) => recipientId(recipient)).join(" and ");
  for (const pool of pools) {
    // A mirror has the member lists of pools in which the node has an entry, and here it has none.
    if (!(await hasMembers(cluster.source, pool))) {
      return new Failure(
        "entry/absent",
        `${what}: ${cluster.source.name} has neither an entry ${ids} of pool ${pool.pool} for epoch ${String(pool.current.epoch)} nor its member list`,
      );
    }
    const { members } = await readMembers(cluster.source, pool);
    const own = members.find(({ recipient }) =>
      identities.some((identity) => identity.recipient === recipient),
    );
    if (own !== undefined) {
      const id = recipientId(own.recipient);
      return new Failure(
        "entry/absent",
        `${what}: pool ${pool.pool} has no entry ${id} for epoch ${String(pool.current.epoch)}`,
      );
    }
    const named = members.find((member) => member.node === node);
    if (named !== undefined) {
      return new Failure(
        "identity/other-node",
        `${what}: the identity is ${ids}, pool ${pool.pool} has ${recipientId(named.recipient)} for node ${named.node}`,
      );
    }
  }
  const names = pools.map(({ pool }) => pool).join(", ");
  return new Failure(
    "bundle/not-for-node",
    `${what}: it is for ${names === "" ? "pools without members" : names}, and recipient ${ids} is a member of none`,
  );
}

async function hasMembers(source: Source, { pool, generation }: VerifiedPool): Promise<boolean> {
  return (await source.list(poolPath(pool, generation))).includes(recordFile.members);
}
