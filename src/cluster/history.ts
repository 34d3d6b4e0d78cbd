import { Failure } from "../failure.ts";
import { poolPath } from "../formats/paths.ts";
import { maxPoolSize, type Member } from "../formats/records/pool.ts";
import { judgePool, type VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readMembers, type Cluster } from "./cluster.ts";
import { readSigned } from "./generations.ts";

/**
 * What a pool's earlier member lists say of a node, the latest first, without doubles. A generation
 * that isn't there any more, or that nobody signed who manages the pool today, says nothing.
 *
 * @param most - how many are enough: member lists are long, and there are many
 */
export async function pastMembers(
  cluster: Cluster,
  roster: VerifiedRoster,
  { pool, generation }: VerifiedPool,
  node: string,
  most = Infinity,
): Promise<Member[]> {
  const found: Member[] = [];
  for (let earlier = generation - 1; earlier > 0 && found.length < most; earlier--) {
    const member = await memberAt(cluster, roster, pool, earlier, node);
    if (member !== undefined && !found.some(({ recipient }) => recipient === member.recipient)) {
      found.push(member);
    }
  }
  return found;
}

async function memberAt(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
  generation: number,
  node: string,
): Promise<Member | undefined> {
  const { source } = cluster;
  try {
    const signed = await readSigned(source, poolPath(pool, generation), "pool", maxPoolSize);
    if (signed === undefined) return undefined;
    const { members } = await readMembers(source, judgePool(signed, roster, pool, generation));
    return members.find((member) => member.node === node);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
