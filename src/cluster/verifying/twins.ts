import { Failure } from "../../failure.ts";
import { bundleFolder } from "../../formats/paths.ts";
import { describeGeneration } from "../../trust/statement.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { readStatement, type Cluster } from "../cluster.ts";
import { statementBefore } from "../past.ts";

/**
 * What is wrong if a bundle's newest generation doesn't follow any that is here: it is another branch's,
 * which git put above one of this branch, so that what that one changed is lost. What can't be judged is
 * left to those who judge it.
 */
export async function checkTwins(
  cluster: Cluster,
  roster: VerifiedRoster,
  bundle: string,
): Promise<Failure[]> {
  try {
    const newest = await readStatement(cluster, roster, bundle);
    if (newest === undefined || newest.record.previous === null) return [];
    const { series, generation } = newest.record;
    if ((await statementBefore(cluster.source, newest.record)) !== undefined) return [];
    const before = `${String(series)}.${String(generation - 1)}`;
    const present = await cluster.source.list(bundleFolder(bundle));
    // Where old generations were taken away there is none to follow.
    if (!present.includes(before)) return [];
    return [
      new Failure(
        "history/twins",
        `bundle ${bundle} ${describeGeneration(newest.record)} doesn't follow what is there as ${String(generation - 1)}: two branches have sealed it, or that was changed`,
        `join them: sealaunch seal ${bundle} --merge REV, before REV is merged`,
      ),
    ];
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}
