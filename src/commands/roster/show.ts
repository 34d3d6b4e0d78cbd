import { readMembers, readPool, readRoster, type Cluster } from "../../cluster/cluster.ts";
import { expectedEntries } from "../../cluster/owed.ts";
import { readPendingRoster } from "../../cluster/pending.ts";
import { recipientId } from "../../crypto/recipient.ts";
import { Failure } from "../../failure.ts";
import type { Member } from "../../formats/records/pool.ts";
import type { RosterPool } from "../../formats/records/roster.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { isStale } from "../../trust/freshness.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import { rosterDifferences } from "../../trust/roster-difference.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { listKeys } from "../../trust/signed.ts";
import { isExpired } from "../../trust/statement.ts";
import type { Context } from "../context.ts";
import { openHere } from "../repository.ts";

/** A pool as far as it can be read. */
interface PoolView extends RosterPool {
  readonly file: VerifiedPool | undefined;
  readonly members: readonly Member[];
  /** Who has no entry yet: `node n2`. */
  readonly owed: readonly string[];
  /** Why it can't be read, or is not to be relied on. */
  readonly failure: Failure | undefined;
}

/** Tells whom the cluster trusts with what, who is in which pool, and what is still owed. */
export async function showRoster(context: Context): Promise<void> {
  const cluster = await openHere(context);
  const current = await readRoster(cluster);
  const { record: roster } = current;
  const { now } = context;
  const pools = await Promise.all(roster.pools.map((pool) => viewPool(cluster, roster, pool)));
  const stale = (record: { issued: string; staleAfter: string }): string =>
    `${isStale(record, now) ? "STALE since" : "fresh until"} ${record.staleAfter}`;
  context.print(`cluster ${roster.cluster}, roster ${String(roster.generation)}, ${stale(roster)}`);
  context.print("");
  await context.table(
    [`root (${String(roster.threshold)} must sign)`, "type"],
    roster.roots.map((root) => [fingerprint(root), root.split(" ", 1)[0] ?? ""]),
  );
  context.print("");
  await context.table(
    ["pool", "managers", "file", "epoch", "members", "owed an entry"],
    pools.map(({ name, managers, file, members, owed, failure }) => [
      name,
      listKeys(managers),
      failure !== undefined
        ? `BAD: ${failure.message}`
        : file === undefined
          ? "none yet"
          : `${String(file.generation)}, ${stale(file)}`,
      file === undefined ? "" : describeEpoch(file),
      members.map(({ node }) => node).join(", "),
      owed.join(", "),
    ]),
  );
  context.print("");
  await context.table(
    ["signer", "names", "expires", "key"],
    roster.signers.map(({ name, names, expires, signer }) => [
      name,
      names.join(", "),
      expires === null ? "never" : `${expires}${isExpired(expires, now) ? " (OVER)" : ""}`,
      fingerprint(signer),
    ]),
  );
  context.print("");
  await context.table(
    ["operator", "recipient"],
    roster.operators.map(({ name, recipient }) => [name, recipientId(recipient)]),
  );
  for (const { name, series, minimum } of roster.names) {
    context.print(
      `bundle ${name}: series ${String(series)}, generation ${String(minimum)} at least`,
    );
  }
  const pending = await readPendingRoster(cluster, current);
  if (pending !== undefined) {
    const signers = listKeys([...pending.signatures.keys()]);
    context.print("");
    context.print(`roster ${String(pending.roster.generation)} waits, signed by ${signers}:`);
    for (const line of rosterDifferences(roster, pending.roster)) context.print(`  ${line}`);
  }
  context.result({
    roster,
    pools: pools.map(({ file, failure, ...rest }) => ({
      ...rest,
      file: file ?? null,
      failure: failure === undefined ? null : { code: failure.code, message: failure.message },
    })),
    pending: pending?.roster ?? null,
  });
}

function describeEpoch({ current, leaving }: VerifiedPool): string {
  const epoch = String(current.epoch);
  return leaving === null ? epoch : `${epoch}, leaving ${String(leaving.epoch)}`;
}

/** A pool that can't be read is a line of the table, so that the rest can be seen. */
async function viewPool(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: RosterPool,
): Promise<PoolView> {
  const nothing = { ...pool, file: undefined, members: [], owed: [], failure: undefined };
  try {
    const read = await readPool(cluster, roster, pool.name);
    if (read === undefined) return nothing;
    const { members } = await readMembers(cluster.source, read.record);
    const entries = await expectedEntries(cluster, roster, read.record);
    const owed = entries.filter((entry) => entry.owed).map(({ who }) => who);
    return { ...nothing, file: read.record, members, owed: [...new Set(owed)] };
  } catch (error) {
    if (error instanceof Failure) return { ...nothing, failure: error };
    throw error;
  }
}
