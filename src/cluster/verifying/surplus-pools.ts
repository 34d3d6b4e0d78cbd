import { recipientId, type Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import {
  entriesFolder,
  entriesOf,
  headersOf,
  poolFolder,
  poolPath,
  recordFile,
} from "../../formats/paths.ts";
import { epochsOf, type VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { readMembers, readPool, type Cluster, type Read } from "../cluster.ts";
import { membersOf, poolsBefore, rostersBefore } from "../past.ts";
import { addReader, addStrays, addUnneeded, isNumber, type Surplus } from "./surplus-kinds.ts";

/**
 * Adds what is over of pools: entries of whoever is no member and no operator, epochs that no pool file
 * names, pools that the roster doesn't name. What can't be judged is left to those who judge it.
 *
 * @throws Failure `source/unreadable`
 */
export async function addPoolSurplus(
  cluster: Cluster,
  roster: Read<VerifiedRoster>,
  surplus: Surplus,
): Promise<void> {
  const { source } = cluster;
  const names = roster.record.pools.map(({ name }) => name);
  const folders = ["pools", "entries", "headers"];
  for (const folder of folders) {
    for (const name of (await source.list(folder)).sort()) {
      if (names.includes(name)) continue;
      const why = `is of a pool that roster ${String(roster.record.generation)} doesn't have`;
      addUnneeded(surplus, "roster", source, `${folder}/${name}`, why);
    }
  }
  for (const pool of names) {
    try {
      await addSurplusOf(cluster, roster, pool, surplus);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
}

async function addSurplusOf(
  cluster: Cluster,
  roster: Read<VerifiedRoster>,
  pool: string,
  surplus: Surplus,
): Promise<void> {
  const { source } = cluster;
  const object = `pool ${pool}`;
  const read = await readPool(cluster, roster.record, pool);
  await addStrays(surplus, object, source, poolFolder(pool), isNumber);
  for (const generation of (await source.list(poolFolder(pool))).filter(isNumber)) {
    const folder = poolPath(pool, Number(generation));
    const files: readonly string[] = [recordFile.pool, recordFile.members, "signatures"];
    await addStrays(surplus, object, source, folder, (name) => files.includes(name));
  }
  const epochs = read === undefined ? [] : epochsOf(read.record).map(({ epoch }) => String(epoch));
  for (const folder of [entriesOf(pool), headersOf(pool)]) {
    for (const name of (await source.list(folder)).sort()) {
      if (epochs.includes(name)) continue;
      const why = isNumber(name)
        ? `is of an epoch that isn't in use: the pool is in ${epochs.join(" and leaves ") || "none"}`
        : "is no epoch";
      addUnneeded(surplus, object, source, `${folder}/${name}`, why);
    }
  }
  if (read === undefined) return;
  for (const epoch of epochs) await addEntries(cluster, roster, read, Number(epoch), surplus);
}

async function addEntries(
  { source }: Cluster,
  roster: Read<VerifiedRoster>,
  pool: Read<VerifiedPool>,
  epoch: number,
  surplus: Surplus,
): Promise<void> {
  const { members } = await readMembers(source, pool.record);
  const entitled = [...members, ...roster.record.operators].map(fileOf);
  const folder = entriesFolder(pool.record.pool, epoch);
  const object = `pool ${pool.record.pool}`;
  let earlier: Set<string> | undefined;
  for (const name of (await source.list(folder)).sort()) {
    if (entitled.includes(name)) continue;
    const path = `${folder}/${name}`;
    if (!/^[0-9a-f]{32}\.age$/u.test(name)) {
      addUnneeded(surplus, object, source, path, "is nothing that lies there");
      continue;
    }
    earlier ??= await entitledBefore(source, roster, pool);
    if (earlier.has(name)) {
      const why =
        "is the entry of somebody who is no member or operator any more, or of a recipient of before";
      addUnneeded(surplus, object, source, path, why);
    } else {
      const why = "is an entry for somebody who never was a member or operator";
      addReader(surplus, object, source, path, why);
    }
  }
}

const fileOf = ({ recipient }: { readonly recipient: Recipient }): string =>
  `${recipientId(recipient)}.age`;

/** The entries' files of everybody who was a member or operator, as far as history tells. */
async function entitledBefore(
  source: Cluster["source"],
  roster: Read<VerifiedRoster>,
  pool: Read<VerifiedPool>,
): Promise<Set<string>> {
  const rosters = await rostersBefore(source, roster);
  const pools = await poolsBefore(source, pool);
  const members = await Promise.all(
    pools.generations.map(({ record }) => membersOf(source, record)),
  );
  const operators = rosters.generations.flatMap(({ record }) => record.operators);
  return new Set([...members.flatMap((list) => list ?? []), ...operators].map(fileOf));
}
