import { readPool, type Cluster } from "../cluster/cluster.ts";
import { Failure } from "../failure.ts";
import { ageFailure, isStale } from "../trust/freshness.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { Running } from "./running.ts";

/** How old a roster or pool file is that a start goes by. */
export interface Dated {
  /** `roster 3`, `pool file web 2`. */
  readonly object: string;
  readonly issued: string;
  readonly staleAfter: string;
  readonly isStale: boolean;
}

/** What the services' next starts would go by, and what of it they couldn't. */
export interface Freshness {
  readonly records: readonly Dated[];
  /** One line each, without "warning:". */
  readonly warnings: readonly string[];
}

/** How fresh the roster is, and the pool files of every pool that a running service's bundles are for. */
export async function freshnessOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  running: readonly Running[],
): Promise<Freshness> {
  const { now } = cluster;
  const records: Dated[] = [];
  const warnings: string[] = [];
  const add = (record: VerifiedRoster | VerifiedPool, object: string): void => {
    const { issued, staleAfter } = record;
    records.push({ object, issued, staleAfter, isStale: isStale(record, now) });
    const failure = ageFailure(record, object, now);
    if (failure !== undefined) warnings.push(failure.message);
  };
  add(roster, `roster ${String(roster.generation)}`);
  for (const name of poolsOf(running)) {
    try {
      const pool = (await readPool(cluster, roster, name))?.record;
      if (pool !== undefined) add(pool, `pool file ${name} ${String(pool.generation)}`);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      warnings.push(error.message);
    }
  }
  return { records, warnings };
}

function poolsOf(running: readonly Running[]): ReadonlySet<string> {
  const newest = running.flatMap(({ bundles }) => bundles.map((bundle) => bundle.newest));
  return new Set(newest.flatMap((one) => (one instanceof Failure ? [] : one.record.audience)));
}
