import type { Recipient } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import { checkEntryForm, maxEntrySize } from "../../formats/entry.ts";
import { entriesFolder, entryPath, membersPath } from "../../formats/paths.ts";
import type { Members } from "../../formats/records/pool.ts";
import type { MirrorPass } from "../../sources/mirror-writing.ts";
import { epochsOf, type VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { readMembers, readPool, type Cluster } from "../cluster.ts";
import { named } from "../named.ts";
import { mirrorAll, mirrorUnsigned } from "./objects.ts";

/**
 * Brings a pool's newest file, its member list and entries into the mirror, if one of the recipients has an
 * entry; else nothing of it.
 *
 * @param whose - all members' if it isn't for one node
 * @returns the pool's file if it was brought
 * @throws Failure all that `readPool` and `readMembers` refuse; `write/refused`
 */
export async function mirrorPool(
  pass: MirrorPass,
  cluster: Cluster,
  roster: VerifiedRoster,
  name: string,
  whose: readonly Recipient[] | "all",
): Promise<VerifiedPool | undefined> {
  const read = await mirrorAll(pass, cluster, async (seen) => {
    const found = await readPool(seen, roster, name);
    if (found === undefined) return undefined;
    // Nothing is to name what isn't there, where each object is written for good.
    if (whose === "all") {
      await mirrorAllEntries(pass, cluster, found.record);
      await readMembers(seen.source, found.record);
      return found;
    }
    const isMember = await mirrorOwnEntries(pass, cluster, found.record, whose);
    return isMember ? found : undefined;
  });
  if (read === undefined || whose === "all") return read?.record;
  const { record: pool } = read;
  const { members } = await mirrorMembers(pass, cluster, pool);
  const readers = [...members, ...roster.operators].map(({ recipient }) => recipient);
  const theirs = new Set(
    epochsOf(pool).flatMap(({ epoch }) =>
      readers.map((recipient) => entryPath(pool.pool, epoch, recipient)),
    ),
  );
  // That the others have theirs is all that a pass of this node needs to know. What else is there is nobody's,
  // and may be as much as a member likes.
  for (const path of await entriesIn(cluster, pool)) if (theirs.has(path)) pass.keep(path);
  return pool;
}

/** Whether there is one. */
async function mirrorOwnEntries(
  pass: MirrorPass,
  cluster: Cluster,
  pool: VerifiedPool,
  recipients: readonly Recipient[],
): Promise<boolean> {
  let isMember = false;
  for (const { epoch } of epochsOf(pool)) {
    for (const recipient of recipients) {
      const path = entryPath(pool.pool, epoch, recipient);
      const judge = (bytes: Uint8Array): void => {
        named(`${path} in ${cluster.source.name}`, () => {
          checkEntryForm(bytes);
        });
      };
      // One that opens nothing takes the place of none that does, as far as it can be seen here.
      if (await mirrorUnsigned(pass, cluster, path, maxEntrySize, judge)) isMember = true;
    }
  }
  return isMember;
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
): Promise<Members> {
  try {
    const members = await readMembers(pass.mirror, pool);
    pass.keep(membersPath(pool.pool, pool.generation));
    return members;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return mirrorAll(pass, cluster, ({ source }) => readMembers(source, pool));
  }
}
