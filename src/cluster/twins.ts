import { Failure } from "../failure.ts";
import { bundleFolder } from "../formats/paths.ts";
import { describeGeneration } from "../trust/statement.ts";
import type { VerifiedRoster } from "../trust/roster.ts";
import { readStatement, type Cluster } from "./cluster.ts";
import type { Additions } from "./dates.ts";
import { statementsBefore } from "./past.ts";

/**
 * The bundles whose newest generation doesn't follow any that is here: another branch's, which git put
 * above one of this branch, so that what that one changed is lost. What can't be judged is left to
 * those who judge it.
 */
export async function checkTwins(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundles: readonly string[],
): Promise<Additions> {
  const found: Additions = new Map();
  for (const bundle of bundles) {
    try {
      const newest = await readStatement(cluster, roster, bundle);
      if (newest === undefined) continue;
      const { series, generation } = newest.record;
      const { brokenAt } = await statementsBefore(cluster.source, newest);
      const before = `${String(series)}.${String(generation - 1)}`;
      const present = await cluster.source.list(bundleFolder(bundle));
      // Where old generations were taken away there is none to follow.
      if (brokenAt !== generation || !present.includes(before)) continue;
      const failure = new Failure(
        "history/twins",
        `bundle ${bundle} ${describeGeneration(newest.record)} doesn't follow what is there as ${String(generation - 1)}: two branches have sealed it, or that was changed`,
        `join them: sealaunch seal ${bundle} --merge REV, before REV is merged`,
      );
      found.set(`bundle ${bundle}`, [failure]);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
    }
  }
  return found;
}
