import type { Cluster, Read } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import type { Member } from "../../formats/records/pool.ts";
import { fingerprint } from "../../formats/sshsig/public-key.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import { rosterPool, type VerifiedRoster } from "../../trust/roster.ts";
import { listKeys } from "../../trust/signed.ts";
import type { Context } from "../context.ts";
import { readPoolState, writePool } from "./pool-change.ts";
import { reportWritten } from "../report.ts";
import { chooseSigner, type Signer } from "../signing.ts";

interface Renewal {
  readonly pool: string;
  readonly file: Read<VerifiedPool>;
  readonly members: readonly Member[];
  readonly signer: Signer;
}

/**
 * The next generation of pool files, with new dates and nothing else, as far as a manager's key is
 * held here; for the others it says who can.
 *
 * @returns the pools that were renewed
 */
export async function renewPools(
  context: Context,
  cluster: Cluster,
  roster: VerifiedRoster,
  names: readonly string[],
  chosen: string | undefined,
): Promise<string[]> {
  const renewals: Renewal[] = [];
  for (const pool of names) {
    const { managers } = rosterPool(roster, pool);
    const { file, members } = await readPoolState(cluster, roster, pool);
    if (file === undefined) continue;
    try {
      const signer = await chooseSigner(context, managers, chosen, `pool file ${pool}`);
      renewals.push({ pool, file, members, signer });
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "signer/none") throw error;
      if (chosen !== undefined) throw error;
      context.print(`pool ${pool} is not renewed: it is managed by ${listKeys(managers)}`);
    }
  }
  if (renewals.length === 0) return [];
  for (const { pool, file, signer } of renewals) {
    const { generation } = file.record;
    context.print(
      `pool ${pool}: generation ${String(generation)} → ${String(generation + 1)}, new dates only, signed by ${fingerprint(signer.signer)}`,
    );
  }
  await context.confirm(`renew ${renewals.map(({ pool }) => pool).join(", ")}?`);
  for (const { pool, file, members, signer } of renewals) {
    const { current, leaving } = file.record;
    const state = { members, current, leaving };
    const folder = await writePool(context, cluster, roster, signer, pool, file, state);
    reportWritten(context, [cluster.source.place(folder)]);
  }
  return renewals.map(({ pool }) => pool);
}
