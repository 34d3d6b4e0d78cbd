import { recipientId, type Recipient } from "../crypto/recipient.ts";
import { entriesFolder, entryPath } from "../formats/paths.ts";
import { epochsOf, type VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readMembers, type Cluster } from "./cluster.ts";

/** Somebody who should have an entry in a pool. */
export interface Reader {
  /** `node n1` or `operator ops`. */
  readonly who: string;
  readonly recipient: Recipient;
}

/** An entry that should be there. */
export interface Entry extends Reader {
  readonly pool: string;
  readonly epoch: number;
  readonly path: string;
  /** Whether it is missing. */
  readonly owed: boolean;
}

/**
 * The entries that a pool should have, for every member and operator and every epoch that is in
 * use. Whether one that is there opens, only whom it is for can tell.
 *
 * @throws Failure `members/…`, `source/unreadable`
 */
export async function expectedEntries(
  { source }: Cluster,
  roster: VerifiedRoster,
  poolFile: VerifiedPool,
): Promise<Entry[]> {
  const { pool } = poolFile;
  const { members } = await readMembers(source, poolFile);
  const readers: Reader[] = [
    ...members.map(({ node, recipient }) => ({ who: `node ${node}`, recipient })),
    ...roster.operators.map(({ name, recipient }) => ({ who: `operator ${name}`, recipient })),
  ];
  const entries = await Promise.all(
    epochsOf(poolFile).map(async ({ epoch }) => {
      const present = new Set(await source.list(entriesFolder(pool, epoch)));
      return readers.map((reader) => ({
        ...reader,
        pool,
        epoch,
        path: entryPath(pool, epoch, reader.recipient),
        owed: !present.has(`${recipientId(reader.recipient)}.age`),
      }));
    }),
  );
  return entries.flat();
}
