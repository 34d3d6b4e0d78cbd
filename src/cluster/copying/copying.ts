import { nameKinds } from "../../formats/names.ts";
import { nodeFolder, nodesFolder, recordFile } from "../../formats/paths.ts";
import { maxCardSize } from "../../formats/records/card.ts";
import { maxSignatureSize } from "../../formats/sshsig/signature.ts";
import { listBundles } from "../bundles.ts";
import { readNodeCard } from "../cards.ts";
import { objectStep, type Step } from "./carrying.ts";
import { findRoster, readRoster, type Cluster } from "../cluster.ts";
import { planBundle, type BundleCopy } from "./bundles.ts";
import { planPool, planRoster, type PoolCopy } from "./trust.ts";
import type { Each } from "../each.ts";

/** What one source has and another lacks. */
export interface CopyPlan {
  /** Everything, in the order in which it has to come. */
  readonly steps: readonly Step[];
  /** By roster, pool and bundle, how many objects are missing; those of which none is aren't named. */
  readonly missing: readonly { readonly what: string; readonly objects: number }[];
}

/**
 * What has to be carried so that `to` has what `from` has, each judged as a reader would; nothing that is
 * there is changed, and nothing is taken away.
 *
 * Whoever reads meanwhile finds all that is named: what lies hidden comes first, then what is believed by
 * the roster that is there, then the new roster, then what only it lets count; the past comes last.
 *
 * @param names - of bundles; all if there are none
 * @throws Failure whatever is wrong with one of them; `generation/conflict`
 */
export async function planCopy(
  from: Cluster,
  to: Cluster,
  names: readonly string[],
  each: Each,
): Promise<CopyPlan> {
  const way = { from: from.source, to: to.source };
  const read = await readRoster(from);
  const { record: roster } = read;
  const present = (await findRoster(to))?.record;
  const rosters = await planRoster(way, read);
  const pools: PoolCopy[] = [];
  await each("pool", roster.pools, async ({ name }) => {
    const pool = await planPool(from, way, roster, present, name);
    if (pool !== undefined) pools.push(pool);
  });
  const bundles: BundleCopy[] = [];
  const wanted = names.length > 0 ? names : await listBundles(from.source);
  await each("bundle", wanted, async (bundle) => {
    bundles.push(await planBundle(from, way, roster, present, bundle));
  });
  const cards = await planCards(way.from, way.to);
  const copies = [...pools, ...bundles];
  const early = copies.filter(({ isForPresent }) => isForPresent);
  const late = copies.filter(({ isForPresent }) => !isForPresent);
  const steps = [
    ...bundles.flatMap(({ before }) => before),
    ...pools.flatMap(({ before }) => before),
    ...early.flatMap(({ newest }) => newest),
    ...rosters.newest,
    ...late.flatMap(({ newest }) => newest),
    ...rosters.past,
    ...copies.flatMap(({ past }) => past),
    ...cards,
  ];
  const missing = [
    {
      what: `roster ${String(roster.generation)}`,
      objects: rosters.newest.length + rosters.past.length,
    },
    ...copies.map(({ what, before, newest, past }) => ({
      what,
      objects: before.length + newest.length + past.length,
    })),
    { what: "cards", objects: cards.length },
  ];
  return { steps, missing: missing.filter(({ objects }) => objects > 0) };
}

/** The cards of nodes that aren't there. One that is there stays: it may be newer. */
async function planCards(from: Cluster["source"], to: Cluster["source"]): Promise<Step[]> {
  const there = await to.list(nodesFolder);
  const names = (await from.list(nodesFolder)).filter((name) => nameKinds.node.is(name));
  const steps: Step[] = [];
  for (const name of names.filter((one) => !there.includes(one)).sort()) {
    if ((await readNodeCard(from, name)) === undefined) continue;
    for (const [file, size] of [
      [recordFile.card, maxCardSize],
      [recordFile.cardSignature, maxSignatureSize],
    ] as const)
      steps.push(objectStep({ from, to }, `${nodeFolder(name)}/${file}`, size, () => undefined));
  }
  return steps;
}
