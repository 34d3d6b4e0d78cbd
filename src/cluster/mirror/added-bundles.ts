import { Failure } from "../../failure.ts";
import type { Source } from "../../sources/source.ts";
import { listBundlesWithHeaders, presentBundles, type PoolEpoch } from "../bundles.ts";

/** So many bundles are looked for one by one. */
const mostLookedFor = 500;

/**
 * The bundles, in rising order, that have headers for those epochs and aren't known. A member can put headers
 * there under any name: where they are many, those of which there is no bundle are left out, so that they cost
 * what all bundles of the cluster do, and not a question each. An epoch that has more than can be gone by adds none.
 *
 * @returns and what was left out
 * @throws Failure `source/…`, but for `source/hostile`
 */
export async function bundlesToAdd(
  source: Source,
  epochs: readonly PoolEpoch[],
  known: ReadonlySet<string>,
): Promise<{ readonly bundles: readonly string[]; readonly failures: readonly Failure[] }> {
  const failures: Failure[] = [];
  const listed = new Set<string>();
  for (const epoch of epochs) {
    try {
      for (const name of await listBundlesWithHeaders(source, [epoch])) {
        if (!known.has(name)) listed.add(name);
      }
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "source/hostile") throw error;
      failures.push(error);
    }
  }
  const names = [...listed].sort();
  const present = names.length > mostLookedFor ? await presentBundles(source, names) : undefined;
  if (present === undefined) return { bundles: names, failures };
  const [first, ...others] = names.filter((name) => !present.has(name));
  if (first !== undefined) {
    const count = String(others.length + 1);
    const what = `${source.name} has headers for ${count} bundles that it doesn't have, such as ${first}`;
    failures.push(new Failure("bundle/absent", what));
  }
  return { bundles: names.filter((name) => present.has(name)), failures };
}
