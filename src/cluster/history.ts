import { Failure } from "../failure.ts";
import { membersPath } from "../formats/paths.ts";
import { maxMembersSize, namesMember, type Member } from "../formats/records/pool.ts";
import { judgeMember, type VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readPoolAt, type Cluster } from "./cluster.ts";

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
    // Most lists of most pools don't name the node: those are searched, and nothing is judged for them.
    const bytes = await cluster.source.read(membersPath(pool, generation), maxMembersSize);
    if (bytes === undefined || !namesMember(bytes, node)) return undefined;
    const file = await readPoolAt(cluster, roster, pool, generation);
    return file && judgeMember(bytes, file.record, node);
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
