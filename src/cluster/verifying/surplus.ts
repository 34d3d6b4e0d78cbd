import {
  bundlesFolder,
  headersOf,
  recordFile,
  rosterFolder,
  rosterPath,
} from "../../formats/paths.ts";
import type { VerifiedRoster } from "../../trust/roster.ts";
import { isHash, listBundles } from "../bundles.ts";
import type { Cluster, Read } from "../cluster.ts";
import { addBundleSurplus, generationOf } from "./surplus-bundles.ts";
import { addStrays, addUnneeded, isNumber, type Surplus } from "./surplus-kinds.ts";
import { addPoolSurplus } from "./surplus-pools.ts";

// Whoever writes to a source can add bytes. A start passes over them; a pipeline should tell, since in a
// repository somebody has put them there.

/**
 * What lies in a source beyond what it should hold.
 *
 * @param areAll - whether `bundles` are all that there are; else nothing but they is looked at
 * @throws Failure `source/unreadable`
 */
export async function findSurplus(
  cluster: Cluster,
  roster: Read<VerifiedRoster>,
  bundles: readonly string[],
  areAll: boolean,
): Promise<Surplus> {
  const surplus: Surplus = { readers: new Map(), unneeded: new Map() };
  await addBundleSurplus(cluster, roster.record, bundles, areAll, surplus);
  if (!areAll) return surplus;
  const { source } = cluster;
  await addStrays(surplus, "roster", source, rosterFolder, isNumber);
  for (const generation of (await source.list(rosterFolder)).filter(isNumber)) {
    const files: readonly string[] = [recordFile.roster, "signatures"];
    const folder = rosterPath(Number(generation));
    await addStrays(surplus, "roster", source, folder, (name) => files.includes(name));
  }
  await addPoolSurplus(cluster, roster, surplus);
  await addBundleStrays(cluster, surplus);
  return surplus;
}

/**
 * Adds the folders among bundles and their headers in which no bundle is.
 *
 * @throws Failure `source/unreadable`
 */
async function addBundleStrays({ source }: Cluster, surplus: Surplus): Promise<void> {
  const bundles = new Set(await listBundles(source));
  const above = new Set(
    [...bundles].flatMap((bundle) =>
      bundle.split("/").map((_, index, all) => all.slice(0, index + 1).join("/")),
    ),
  );
  const walk = async (
    root: string,
    name: string,
    isOwn: (name: string) => boolean,
  ): Promise<void> => {
    const folder = name === "" ? root : `${root}/${name}`;
    for (const segment of (await source.list(folder)).sort()) {
      const inside = name === "" ? segment : `${name}/${segment}`;
      if (bundles.has(name) && isOwn(segment)) continue;
      if (above.has(inside)) await walk(root, inside, isOwn);
      else
        addUnneeded(
          surplus,
          "bundles",
          source,
          `${root}/${inside}`,
          "holds no bundle that is there",
        );
    }
  };
  await walk(bundlesFolder, "", (name) => name === "values" || generationOf.test(name));
  for (const pool of (await source.list("headers")).sort()) {
    for (const epoch of (await source.list(headersOf(pool))).sort()) {
      await walk(`${headersOf(pool)}/${epoch}`, "", isHash);
    }
  }
}
