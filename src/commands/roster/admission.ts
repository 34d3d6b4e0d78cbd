import { readPool, readRoster, requirePool, type Cluster } from "../../cluster/cluster.ts";
import { openPool, type OpenedPool } from "../../cluster/entries.ts";
import { wipe } from "../../crypto/bytes.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import type { Context } from "../context.ts";
import { identityFrom } from "../open.ts";
import { reportNext, reportWritten } from "../report.ts";
import { owedEntriesOf } from "../rewrap/owed.ts";

/** What became of an enrolment. */
export interface Enrolled {
  readonly pool: string;
  readonly nodes: readonly string[];
  readonly generation: number;
  /** The nodes that can't open anything before somebody has written their entries. */
  readonly owed: readonly string[];
}

/**
 * What an identity opens of a pool, so that newcomers can be given it; nothing of a pool that hasn't begun,
 * whose first members need nobody. The caller wipes it.
 *
 * @param file - an operator's or member's identity; `-` for standard input
 * @throws Failure `entry/absent` if it opens nothing; as `readIdentity`
 */
export async function openToAdmit(
  context: Context,
  cluster: Cluster,
  pool: string,
  file: string,
): Promise<readonly OpenedPool[]> {
  const { record: roster } = await readRoster(cluster);
  const read = await readPool(cluster, roster, pool);
  if (read === undefined) return [];
  const identity = await identityFrom(context, file);
  try {
    const opened = await openPool(cluster, read.record, [identity]);
    if (opened.length > 0) return opened;
    throw new Failure(
      "entry/absent",
      `recipient ${recipientId(identity.recipient)} has no entry in pool ${pool}, so it lets nobody in`,
      "use the identity of an operator, or of a member that has its entry already",
    );
  } finally {
    wipe(identity.seed);
  }
}

/**
 * After it, newcomers have their entries, as far as they can be made here; else it was said who makes them.
 *
 * @returns the nodes that are still owed one
 * @throws Failure `members/…`, `write/refused`
 */
export async function admit(
  context: Context,
  cluster: Cluster,
  { pool, owed }: Enrolled,
  opened: readonly OpenedPool[],
  replaces: boolean,
): Promise<readonly string[]> {
  if (owed.length === 0) return [];
  if (opened.length === 0) {
    const names = owed.join(", ");
    context.print(
      replaces
        ? `${names} opens nothing with the new identity before an entry is written for it: by the node's own pass where it has both, else by an operator or another member`
        : `${names} can't open anything before an operator or a member has written the entry`,
    );
    reportNext(context, "sealaunch rewrap --identity FILE");
    return owed;
  }
  const { record: roster } = await readRoster(cluster);
  const file = await requirePool(cluster, roster, pool);
  for (const { path, bytes } of await owedEntriesOf(cluster, roster, [file], opened, false)) {
    if (bytes === undefined) continue;
    await cluster.source.write(path, bytes);
    reportWritten(context, [cluster.source.place(path)]);
  }
  return [];
}
