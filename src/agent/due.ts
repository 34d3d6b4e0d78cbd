import { readMembers, readPool, requireStatement, type Cluster } from "../cluster/cluster.ts";
import type { OnChange, Turn } from "../service/on-change.ts";
import { changedBundles } from "../trust/changed-bundles.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { describeGeneration, type VerifiedStatement } from "../trust/statement.ts";
import type { RunningUnit } from "./running-units.ts";
import type { Wanted } from "./wanted.ts";

/** By what it is seen what is newest. */
export interface Looking {
  readonly node: string;
  readonly cluster: Cluster;
  readonly roster: VerifiedRoster;
}

/** What a unit is to be restarted or reloaded for, and among whom it has its turn. */
export interface Due {
  readonly node: string;
  readonly members: readonly string[];
  readonly change: string;
  readonly onChange: OnChange;
}

/** What a node's turn is reckoned from. */
export const turnFor = ({ onChange: { spread }, ...others }: Due): Turn => ({ ...others, spread });

/**
 * What a unit is due for; undefined if nothing has changed of what it has. What it takes from a store path never does.
 *
 * @throws Failure as reading the roster and the newest statements
 */
export async function dueOf(
  { decision }: RunningUnit,
  wanted: Wanted,
  { node, cluster, roster }: Looking,
): Promise<Due | undefined> {
  const { onChange } = wanted;
  const { payloads = [] } = decision;
  if (onChange === undefined || payloads.length === 0) return undefined;
  const followed = decision.bundles.filter(({ path }) => path === undefined);
  const newest = await Promise.all(
    followed.map(({ bundle }) => requireStatement(cluster, roster, bundle)),
  );
  const changed = changedBundles(payloads, newest);
  const [first] = changed;
  if (first === undefined) return undefined;
  const change = changed
    .map((statement) => `${statement.name} ${describeGeneration(statement)}`)
    .join(", ");
  return { node, members: await membersWith(node, first, cluster, roster), change, onChange };
}

/** The members of the first pool of a statement's audience that the node is in; the node alone if it sees none. */
async function membersWith(
  node: string,
  { audience }: VerifiedStatement,
  cluster: Cluster,
  roster: VerifiedRoster,
): Promise<readonly string[]> {
  for (const name of audience) {
    const pool = await readPool(cluster, roster, name).catch(() => undefined);
    if (pool === undefined) continue;
    const list = await readMembers(cluster.source, pool.record).catch(() => undefined);
    const names = list?.members.map((member) => member.node) ?? [];
    if (names.includes(node)) return names;
  }
  return [node];
}
