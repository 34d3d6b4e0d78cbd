import { Failure } from "../failure.ts";
import type { Member } from "../formats/records/pool.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readMembers, readPoolAt, type Cluster } from "./cluster.ts";

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
  try {
    const file = await readPoolAt(cluster, roster, pool, generation);
    if (file === undefined) return undefined;
    const { members } = await readMembers(cluster.source, file.record);
    return members.find((member) => member.node === node);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
