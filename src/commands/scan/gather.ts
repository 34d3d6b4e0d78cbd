import { requireRepository } from "../../cluster/configuration.ts";
import type { StoreTable } from "../../scan/store/table.ts";
import type { Context } from "../context.ts";
import { openWithMarks } from "../repository.ts";
import { clusterOrigins } from "./cluster.ts";
import { fileOrigin, hereOrigin, sshOrigin } from "./elsewhere.ts";
import { ahead, gather, type Gathered, type Origin } from "./stores.ts";

/** Which machines are looked at. */
export interface MachineFlags {
  /** Nodes of the cluster; all of them, or the pool's, if none is named and no other machine is. */
  readonly nodes: readonly string[];
  readonly pool: string | undefined;
  readonly here: boolean;
  readonly ssh: readonly string[];
  readonly dumps: readonly string[];
  readonly maxAgeDays: number;
}

/**
 * What the stores of machines have, in `table`, and of which machines nothing is known.
 *
 * @throws Failure `file/absent`, `program/missing`; all that reading the cluster refuses
 */
export async function gatherAll(
  context: Context,
  options: MachineFlags,
  table: StoreTable,
): Promise<Gathered> {
  const origins = await originsOf(context, options);
  const nodes: Gathered["nodes"][number][] = [];
  const stores: Gathered["stores"][number][] = [];
  const ageing = { now: context.now, maxAgeDays: options.maxAgeDays };
  await context.each("node", ahead(origins), async (origin) => {
    const { node, store } = await gather(origin, table, ageing);
    nodes.push(node);
    if (store !== undefined) stores.push(store);
  });
  return { nodes, stores };
}

async function originsOf(context: Context, options: MachineFlags): Promise<Origin[]> {
  const { here, ssh, dumps, nodes, pool } = options;
  const elsewhere = [
    ...(here ? [hereOrigin(context)] : []),
    ...ssh.map((host) => sshOrigin(context, host)),
    ...dumps.map((file) => fileOrigin(context, file)),
  ];
  if (elsewhere.length > 0 && nodes.length === 0 && pool === undefined) return elsewhere;
  const repository = await requireRepository(context.directory, context.configuration);
  const cluster = await openWithMarks(context, repository);
  return [...elsewhere, ...(await clusterOrigins(cluster, { nodes, pool }))];
}
