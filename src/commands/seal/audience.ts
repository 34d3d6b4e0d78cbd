import { requirePool, type Cluster } from "../../cluster/cluster.ts";
import { requireFresh } from "../../trust/freshness.ts";
import type { VerifiedPool } from "../../trust/pool.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";

/**
 * The pool files of an audience: by a stale one, what is sealed might be for an evicted node.
 *
 * @throws Failure `roster/stale`, `clock/behind`; all that `requirePool` refuses
 */
export async function readAudience(
  cluster: Cluster,
  roster: VerifiedRoster,
  audience: readonly string[],
): Promise<VerifiedPool[]> {
  const pools = await Promise.all(audience.map((pool) => requirePool(cluster, roster, pool)));
  for (const pool of pools)
    requireFresh(pool, `pool file ${pool.pool} ${String(pool.generation)}`, cluster.now);
  return pools;
}
