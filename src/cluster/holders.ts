import type { Roster } from "../formats/records/roster.ts";
import { periodsOf, type Holding } from "../trust/readers.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readPool, type Cluster } from "./cluster.ts";
import { gapsOf, membersOf, poolsBefore, type Chain } from "./past.ts";

/** Who has had a pool's identity, and what of that can't be told. */
export interface Holders {
  readonly holdings: readonly Holding[];
  readonly gaps: readonly string[];
}

/**
 * Every node that was a member of a pool, and from when until when.
 *
 * @throws Failure all that `readPool` refuses; `source/…`
 */
export async function nodesOfPool(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
): Promise<Holders> {
  if (roster.pools.every((one) => one.name !== pool)) {
    const gap = `the roster has no pool ${pool} any more: who was in it isn't told`;
    return { holdings: [], gaps: [gap] };
  }
  const newest = await readPool(cluster, roster, pool);
  if (newest === undefined) return { holdings: [], gaps: [] };
  const chain = await poolsBefore(cluster.source, newest);
  const gaps = gapsOf(`pool ${pool}`, chain);
  const records = chain.generations.map(({ record }) => record);
  const holdings: Holding[] = [];
  for (const { record, from, until } of periodsOf(records, ({ issued }) => issued)) {
    const members = await membersOf(cluster.source, record);
    if (members === undefined) {
      gaps.push(`pool ${pool} ${String(record.generation)}: its member list isn't there`);
    }
    for (const { node } of members ?? []) holdings.push({ who: `node ${node}`, pool, from, until });
  }
  return { holdings, gaps };
}

/** Every operator of the rosters, who had the identities of all pools. */
export function operatorsOf(
  { generations }: Chain<Roster>,
  pools: readonly string[],
): readonly Holding[] {
  const records = generations.map(({ record }) => record);
  return periodsOf(records, ({ issued }) => issued).flatMap(({ record, from, until }) =>
    record.operators.flatMap(({ name }) =>
      pools.map((pool) => ({ who: `operator ${name}`, pool, from, until })),
    ),
  );
}
