import { Failure } from "../../failure.ts";
import { poolDates, rosterDates, statementDates, type Dates } from "../../trust/dates.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { readPool, readStatement, type Cluster } from "../cluster.ts";

/** What is found besides, by the object of a `Finding`. */
export type Additions = Map<string, Failure[]>;

/**
 * What ends soon and what is old, of the roster and of the pools and bundles given. What can't be
 * judged is left to those who judge it.
 */
export async function checkDates(
  cluster: Cluster,
  roster: VerifiedRoster,
  objects: { readonly pools: readonly string[]; readonly bundles: readonly string[] },
  dates: Dates,
): Promise<Additions> {
  const found: Additions = new Map([["roster", rosterDates(roster, dates)]]);
  const judged = async (object: string, check: () => Promise<Failure[]>): Promise<void> => {
    try {
      found.set(object, await check());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  };
  for (const name of objects.pools) {
    await judged(`pool ${name}`, async () => {
      const pool = await readPool(cluster, roster, name);
      return pool === undefined ? [] : poolDates(pool.record, dates);
    });
  }
  for (const name of objects.bundles) {
    await judged(`bundle ${name}`, async () => {
      const statement = await readStatement(cluster, roster, name);
      return statement === undefined ? [] : statementDates(statement.record, dates);
    });
  }
  return found;
}
