import { readMembers, readPool, type Cluster, type Read } from "../../cluster/cluster.ts";
import { publishPool, successor } from "../../cluster/publishing.ts";
import { hex } from "../../crypto/bytes.ts";
import { sha256 } from "../../crypto/digest.ts";
import {
  encodeMembers,
  encodePool,
  type Member,
  type Members,
  type Pool,
} from "../../formats/records/pool.ts";
import { poolFolder } from "../../formats/paths.ts";
import { judgePool, type VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import type { Context } from "../context.ts";
import { warnOfClock } from "../report.ts";
import { signRecord, type Signer } from "../signing.ts";

/** A pool as it is: its file, undefined while it has no members, and who they are. */
export interface PoolState {
  readonly file: Read<VerifiedPool> | undefined;
  readonly members: readonly Member[];
}

/** The newest state of a pool. @throws Failure all that `readPool` and `readMembers` refuse */
export async function readPoolState(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
): Promise<PoolState> {
  const file = await readPool(cluster, roster, pool);
  if (file === undefined) return { file, members: [] };
  const { members } = await readMembers(cluster.source, file.record);
  return { file, members };
}

/**
 * After it, the pool's next generation is in the source: with these members, in this epoch.
 *
 * @returns its folder in the source
 * @throws Failure `signer/…`, `generation/conflict`, `write/refused`
 */
export async function writePool(
  context: Context,
  { source, marks }: Cluster,
  roster: VerifiedRoster,
  signer: Signer,
  name: string,
  before: Read<VerifiedPool> | undefined,
  state: { readonly members: readonly Member[] } & Pick<Pool, "current" | "leaving">,
): Promise<string> {
  if (before !== undefined) {
    const { generation, issued } = before.record;
    warnOfClock(context, `pool file ${name} ${String(generation)} was issued`, issued);
  }
  const members: Members = {
    type: "members",
    version: 1,
    cluster: roster.cluster,
    pool: name,
    members: [...state.members],
  };
  const pool: Pool = {
    type: "pool",
    version: 1,
    cluster: roster.cluster,
    pool: name,
    ...successor(before, context.now),
    current: state.current,
    leaving: state.leaving,
    members: hex(sha256(encodeMembers(members))),
  };
  const bytes = encodePool(pool);
  const signature = await signRecord(context, signer, "pool", bytes);
  // As every reader will, so that nothing is published that would stop them all.
  judgePool({ bytes, signatures: [signature] }, roster, name, pool.generation);
  const folder = await publishPool(source, pool, members, new Map([[signer.signer, signature]]));
  await marks.see(poolFolder(name), { series: 0, generation: pool.generation }, bytes);
  return folder;
}
