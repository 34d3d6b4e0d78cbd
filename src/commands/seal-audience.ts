import { requirePool, type Cluster } from "../cluster/cluster.ts";
import { Failure } from "../failure.ts";
import { describeStale, isStale } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";

/** Clocks of people who work together differ by less. */
const clockDifference = 5 * 60 * 1000;

/**
 * Returns if a record can be sealed against by this machine's clock.
 *
 * @throws Failure `roster/stale`: what is sealed against an old one might be for an evicted node;
 *   `clock/behind` if it was signed in what is the future here: then nothing would look stale
 */
export function refuseStale(record: VerifiedRoster | VerifiedPool, what: string, now: Date): void {
  if (Date.parse(record.issued) > now.getTime() + clockDifference)
    throw new Failure(
      "clock/behind",
      `${what} was issued ${record.issued}, and here it is ${now.toISOString()}: nothing is sealed by this clock`,
    );
  if (isStale(record, now))
    throw new Failure(
      "roster/stale",
      `${describeStale(record, what)}: nothing is sealed against it`,
    );
}

/** The pool files of an audience. @throws Failure `roster/stale`; all that `requirePool` refuses */
export async function readAudience(
  cluster: Cluster,
  roster: VerifiedRoster,
  audience: readonly string[],
): Promise<VerifiedPool[]> {
  const pools = await Promise.all(audience.map((pool) => requirePool(cluster, roster, pool)));
  for (const pool of pools)
    refuseStale(pool, `pool file ${pool.pool} ${String(pool.generation)}`, cluster.now);
  return pools;
}
