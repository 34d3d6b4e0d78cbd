import { Failure } from "../failure.ts";
import type { VerifiedPool } from "../trust/pool.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import type { VerifiedStatement } from "../trust/statement.ts";
import { listBundles } from "./bundles.ts";
import { readStatement, type Cluster } from "./cluster.ts";
import type { Each } from "./each.ts";
import { owedHeaders } from "./rewrapping.ts";

/** The bundles that a pool may read, as far as they can be judged. */
interface PoolBundles {
  readonly statements: readonly VerifiedStatement[];
  /** Of bundles that can't be judged: whether they are for the pool isn't known. */
  readonly failures: readonly Failure[];
}

/** The newest statement of every bundle whose audience has the pool. */
async function bundlesFor(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: string,
  each: Each,
): Promise<PoolBundles> {
  const statements: VerifiedStatement[] = [];
  const failures: Failure[] = [];
  await each("bundle", await listBundles(cluster.source), async (bundle) => {
    try {
      const statement = (await readStatement(cluster, roster, bundle))?.record;
      if (statement?.audience.includes(pool) === true) statements.push(statement);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  });
  return { statements, failures };
}

/**
 * Why a pool can't drop the epoch that it leaves: headers that its current epoch is owed, and
 * bundles that can't be judged. Once there is none, nothing needs the old epoch; none if it leaves none.
 */
export async function obstaclesOf(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: VerifiedPool,
  each: Each,
): Promise<string[]> {
  if (pool.leaving === null) return [];
  const { statements, failures } = await bundlesFor(cluster, roster, pool.pool, each);
  const owed = await Promise.all(
    statements.map((statement) =>
      owedHeaders(cluster.source, { statement, pools: [pool], opened: [], all: false }),
    ),
  );
  return [...owed.flat().map(({ what }) => what), ...failures.map(({ message }) => message)];
}

/**
 * Returns if a new epoch can begin: none is being left that something still needs.
 *
 * @throws Failure `pool/leaving`
 */
export async function requireSettled(
  cluster: Cluster,
  roster: VerifiedRoster,
  pool: VerifiedPool,
  each: Each,
): Promise<void> {
  const found = await obstaclesOf(cluster, roster, pool, each);
  const [first] = found;
  if (first === undefined || pool.leaving === null) return;
  throw new Failure(
    "pool/leaving",
    `pool ${pool.pool} still leaves epoch ${String(pool.leaving.epoch)}: owed are ${first}${found.length === 1 ? "" : ` and ${String(found.length - 1)} more`}`,
  );
}
