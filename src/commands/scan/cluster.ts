import { readInventory } from "../../cluster/inventories.ts";
import { readMembers, readPool, readRoster, type Cluster } from "../../cluster/cluster.ts";
import { Failure } from "../../failure.ts";
import { parseName } from "../../formats/names.ts";
import type { Member } from "../../formats/records/pool.ts";
import { decodeUses } from "../../formats/uses.ts";
import type { Origin } from "./stores.ts";

/** Which nodes of a cluster are looked at: all if none is named. */
export interface NodeChoice {
  readonly nodes: readonly string[];
  readonly pool: string | undefined;
}

/**
 * The nodes of a cluster, each with the inventory that it has signed.
 *
 * @throws Failure `node/unknown` for a name that no pool has; all that reading roster and pools refuses
 */
export async function clusterOrigins(
  cluster: Cluster,
  { nodes, pool }: NodeChoice,
): Promise<Origin[]> {
  const { record: roster } = await readRoster(cluster);
  const pools = pool === undefined ? roster.pools.map(({ name }) => name) : [pool];
  const members = new Map<string, Member>();
  for (const name of pools) {
    const read = await readPool(cluster, roster, name);
    if (read === undefined) continue;
    const list = await readMembers(cluster.source, read.record);
    for (const member of list.members) members.set(member.node, member);
  }
  const wanted = nodes.length === 0 ? [...members.keys()].sort() : nodes;
  return wanted.map((node) => {
    const member = members.get(parseName("node", node));
    if (member === undefined) {
      const where = pool === undefined ? "no pool has" : `pool ${pool} hasn't`;
      throw new Failure("node/unknown", `${where} a node ${node}`, "sealaunch roster show");
    }
    return { node, bring: () => bring(cluster, member) };
  });
}

async function bring(
  { source, marks, trusted }: Cluster,
  { node, hostKey }: Member,
): ReturnType<Origin["bring"]> {
  const place = { cluster: trusted.cluster, node, hostKey };
  const { record, graph, uses } = await readInventory(source, marks, place);
  return {
    form: "registration",
    graph: () => {
      const text = graph();
      return Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
    },
    uses: () => decodeUses(uses(), `the inventory of ${node}`),
    taken: record.taken,
  };
}
