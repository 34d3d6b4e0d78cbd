import { findRoster, readRoster, type Cluster, type Read } from "../../cluster/cluster.ts";
import { readPendingRoster, type PendingRoster } from "../../cluster/pending.ts";
import { pendingRosterPath, signatureFile } from "../../formats/paths.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import { signaturesOwed, type VerifiedRoster } from "../../trust/roster.ts";
import { listKeys } from "../../trust/signed.ts";
import type { Context } from "../context.ts";
import { renewPools } from "./pool-renewal.ts";
import { reportNext, reportWritten } from "../report.ts";
import { openToSign } from "../repository.ts";
import { changeRoster, reportOwed, rootsOf, showChange, writeRoster } from "./change.ts";
import { chooseSigner, signRecord } from "../signing.ts";

/** What is to be signed. */
export interface SignOptions {
  /** Whether the roster and the pool files that are managed here get new dates. */
  readonly renew: boolean;
  /** Only these pools' files get new dates, and the roster stays. */
  readonly pools: readonly string[];
  readonly signer: string | undefined;
}

/** Adds a root signature to the roster that waits for one, or issues records anew. */
export async function signRoster(context: Context, options: SignOptions): Promise<void> {
  const cluster = await openToSign(context);
  if (options.pools.length > 0) {
    const { record: roster } = await readRoster(cluster);
    const renewed = await renewPools(context, cluster, roster, options.pools, options.signer);
    context.result({ pools: renewed });
    return;
  }
  const current = await findRoster(cluster);
  const pending = await readPendingRoster(cluster, current);
  if (options.renew) {
    const known = current ?? (await readRoster(cluster));
    const complete = await changeRoster(context, cluster, known, options, () => ({}));
    const pools = known.record.pools.map(({ name }) => name);
    const renewed = await renewPools(context, cluster, known.record, pools, undefined);
    reportNext(context, complete ? "sealaunch verify" : "sealaunch roster sign");
    context.result({ generation: known.record.generation + 1, complete, pools: renewed });
    return;
  }
  if (pending !== undefined) {
    await signPending(context, cluster, current, pending, options.signer);
    return;
  }
  const { generation, staleAfter } = (current ?? (await readRoster(cluster))).record;
  // Whoever was stopped after publishing has left it.
  await cluster.source.remove(pendingRosterPath(generation));
  context.print(
    `nothing to sign: roster ${String(generation)} has its signatures, and is fresh until ${staleAfter}; --renew issues the next`,
  );
  context.result({ generation, complete: true, pools: [] });
}

async function signPending(
  context: Context,
  cluster: Cluster,
  current: Read<VerifiedRoster> | undefined,
  { roster, bytes, folder, signatures }: PendingRoster,
  chosen: string | undefined,
): Promise<void> {
  const { source, trusted } = cluster;
  const what = `roster ${String(roster.generation)}`;
  const roots = rootsOf(trusted, roster);
  const counting = new Map([...signatures].filter(([signer]) => roots.includes(signer)));
  showChange(context, current?.record, roster);
  context.print(`  signed by ${listKeys([...counting.keys()])}`);
  // Whoever was stopped between signing and publishing has nothing left to sign.
  if (signaturesOwed(roster, trusted, [...counting.keys()]).count > 0) {
    const unsigned = roots.filter((root) => !counting.has(root));
    const signer = await chooseSigner(context, unsigned, chosen, what);
    await context.confirm(`sign ${what} as ${fingerprint(signer.signer)}?`);
    const signature = await signRecord(context, signer, "roster", bytes);
    counting.set(signer.signer, signature);
    const path = `${folder}/${signatureFile(signer.signer)}`;
    await source.write(path, signature);
    reportWritten(context, [source.place(path)]);
  }
  const owed = signaturesOwed(roster, trusted, [...counting.keys()]);
  const complete = owed.count === 0;
  if (complete) {
    await writeRoster(context, cluster, roster, bytes, counting);
    await source.remove(folder);
  } else {
    reportOwed(context, roster, owed);
  }
  reportNext(context, complete ? "sealaunch roster show" : "sealaunch roster sign");
  context.result({ generation: roster.generation, complete, pools: [] });
}
